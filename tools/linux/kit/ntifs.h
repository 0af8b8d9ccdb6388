/*
 * Found in place of the ntifs.h of the free DDK headers, which it includes: what the WDK crates use
 * and those headers are too old to have. Source: the documentation of ExAllocatePool2.
 */
#pragma once
#include_next <ntifs.h>

typedef ULONG64 POOL_FLAGS;

PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
