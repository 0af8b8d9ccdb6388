/*
 * Included by the free DDK headers for the routines that ARM processors have of their own, and
 * missing from them. Drivers take those routines from `ndis-sys`.
 */
#pragma once
