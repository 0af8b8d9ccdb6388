//! Interrupts, for miniports of hardware (`ns-ndis-_ndis_miniport_interrupt_characteristics.md`).
//!
//! Handlers that run at the device's own IRQL are declared up to HIGH_LEVEL.

use crate::declare::{callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

callbacks! {
    /// Handles a line interrupt at the device's IRQL; true if it was ours
    /// (`nc-ndis-miniport_isr.md`).
    fn MINIPORT_ISR = MINIPORT_ISR_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        QueueDefaultInterruptDpc: *mut BOOLEAN,
        TargetProcessors: *mut ULONG,
    ) -> BOOLEAN;

    /// Does the deferred part (`nc-ndis-miniport_interrupt_dpc.md`).
    fn MINIPORT_INTERRUPT_DPC = MINIPORT_INTERRUPT_DPC_HANDLER [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        MiniportDpcContext: PVOID,
        ReceiveThrottleParameters: PVOID,
        NdisReserved2: PVOID,
    );

    /// Disables the interrupt (`nc-ndis-miniport_disable_interrupt.md`).
    fn MINIPORT_DISABLE_INTERRUPT = MINIPORT_DISABLE_INTERRUPT_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
    );

    /// Enables the interrupt (`nc-ndis-miniport_enable_interrupt.md`).
    fn MINIPORT_ENABLE_INTERRUPT = MINIPORT_ENABLE_INTERRUPT_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
    );

    /// Handles a message interrupt at the device's IRQL (`nc-ndis-miniport_message_interrupt.md`).
    fn MINIPORT_MESSAGE_INTERRUPT = MINIPORT_MSI_ISR_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        MessageId: ULONG,
        QueueDefaultInterruptDpc: *mut BOOLEAN,
        TargetProcessors: *mut ULONG,
    ) -> BOOLEAN;

    /// Does the deferred part of a message interrupt (`nc-ndis-miniport_message_interrupt_dpc.md`).
    fn MINIPORT_MESSAGE_INTERRUPT_DPC = MINIPORT_MSI_INTERRUPT_DPC_HANDLER [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        MessageId: ULONG,
        MiniportDpcContext: PVOID,
        ReceiveThrottleParameters: PVOID,
        NdisReserved2: PVOID,
    );

    /// Disables a message interrupt (`nc-ndis-miniport_disable_message_interrupt.md`).
    fn MINIPORT_DISABLE_MESSAGE_INTERRUPT = MINIPORT_DISABLE_MSI_INTERRUPT_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        MessageId: ULONG,
    );

    /// Enables a message interrupt (`nc-ndis-miniport_enable_message_interrupt.md`).
    fn MINIPORT_ENABLE_MESSAGE_INTERRUPT = MINIPORT_ENABLE_MSI_INTERRUPT_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportInterruptContext: NDIS_HANDLE,
        MessageId: ULONG,
    );

    /// Runs with the interrupt held back (`nc-ndis-miniport_synchronize_interrupt.md`).
    fn MINIPORT_SYNCHRONIZE_INTERRUPT = MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        SynchronizeContext: NDIS_HANDLE,
    ) -> BOOLEAN;
}

structures! {
    /// What `NdisMRegisterInterruptEx` registers.
    pub struct NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub InterruptHandler: MINIPORT_ISR_HANDLER,
        pub InterruptDpcHandler: MINIPORT_INTERRUPT_DPC_HANDLER,
        pub DisableInterruptHandler: MINIPORT_DISABLE_INTERRUPT_HANDLER,
        pub EnableInterruptHandler: MINIPORT_ENABLE_INTERRUPT_HANDLER,
        pub MsiSupported: BOOLEAN,
        pub MsiSyncWithAllMessages: BOOLEAN,
        pub MessageInterruptHandler: MINIPORT_MSI_ISR_HANDLER,
        pub MessageInterruptDpcHandler: MINIPORT_MSI_INTERRUPT_DPC_HANDLER,
        pub DisableMessageInterruptHandler: MINIPORT_DISABLE_MSI_INTERRUPT_HANDLER,
        pub EnableMessageInterruptHandler: MINIPORT_ENABLE_MSI_INTERRUPT_HANDLER,
        pub InterruptType: NDIS_INTERRUPT_TYPE,
        pub MessageInfoTable: *mut IO_INTERRUPT_MESSAGE_INFO,
    }

    /// How much a deferred procedure call may indicate
    /// (`ns-ndis-_ndis_receive_throttle_parameters.md`).
    pub struct NDIS_RECEIVE_THROTTLE_PARAMETERS {
        pub MaxNblsToIndicate: ULONG,
        pub MoreNblsPending: BOOLEAN,
    }
}

/// Line or message interrupts.
pub type NDIS_INTERRUPT_TYPE = i32;

constants! {
    NDIS_INTERRUPT_TYPE {
        NDIS_CONNECT_LINE_BASED = 1,
        NDIS_CONNECT_MESSAGE_BASED = 2,
    }
    ULONG {
        /// `MaxNblsToIndicate` without a limit.
        NDIS_INDICATE_ALL_NBLS = ULONG::MAX,
    }
    UCHAR {
        NDIS_MINIPORT_INTERRUPT_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, MessageInfoTable),
    }
}

const _: () = assert!(size_of::<NDIS_RECEIVE_THROTTLE_PARAMETERS>() == 8);
