//! The states that the reference pages describe, each one a machine that the host runs, and what the
//! host itself keeps account of: who holds what.

super::rules! {
    MINIPORT_ADAPTER_STATE = State "Miniport adapter states",
        "an adapter's functions are called, and it calls NDIS, only in the states that allow it",
        "at each call from and to a miniport driver: the state of the adapter against those that allow the call",
        "miniport-adapter-states-and-operations.md";
    PROTOCOL_BINDING_STATE = State "Protocol binding states",
        "a binding is used only in the states that allow it",
        "at each call from and to a protocol driver: the state of the binding against those that allow the call",
        "protocol-binding-states-and-operations.md";
    FILTER_MODULE_STATE = State "Filter module states",
        "a filter module's functions are called, and it calls NDIS, only in the states that allow it",
        "at each call from and to a filter driver: the state of the module against those that allow the call",
        "filter-module-states-and-operations.md";
    FILTER_BYPASS = Host "Data bypass mode",
        "a filter that calls a function of NDIS has the function that NDIS calls in return",
        "when a filter sends, indicates or asks: whether it has the function that takes the completion or return",
        "data-bypass-mode.md";
    FILTER_TYPE = Host "Types of filter drivers",
        "a monitoring filter passes on what it sees, and neither changes nor originates data",
        "when a filter sends or indicates an NBL of its own: the type that its configuration says",
        "types-of-filter-drivers.md";
    IM_VIRTUAL_MINIPORT_STATE = State "Virtual miniport states",
        "a virtual miniport is initialized, cancelled and deinitialized in the order of the reference pages",
        "at each NdisIM call and at registration: the state of the virtual miniport",
        "initializing-virtual-miniports.md";
    NBL_OWNERSHIP = Host "NET_BUFFER_LIST ownership",
        "who holds a NET_BUFFER_LIST completes or returns it once, as it was handed over",
        "when an NBL is sent, completed, indicated, returned, copied or freed: who holds it, and whether it is as it was when it was handed over",
        "net-buffer-architecture.md";
    INVALID_HANDLE = Host "NDIS handles",
        "a handle is used for what it was given out for, and not after it was given back",
        "when a handle is passed to a function: the table of all objects has it alive and of that kind",
        "ndis-object-handles.md";
    RESOURCES_LEFT = Host "Driver resources",
        "a driver gives back all that it acquired before it is unloaded",
        "when a handle ends and when DriverUnload has returned: the tables of objects, symbolic links, devices and work",
        "unloading-an-intermediate-driver.md";
}
