//! `MiniportInitializeEx`: a virtual miniport comes up.

use core::sync::atomic::AtomicBool;

use mux_core::{
    VlanId,
    config::{ConfigError, asked::Asked},
    event_log::Message,
    filter::{MulticastList, PacketFilter},
    mtu::frame_sizes,
    oid,
    statistics::Statistics,
};
use ndis::{
    Passive, Result, Shared, Status,
    configuration::Configuration,
    link::LinkState,
    mem::try_to_vec,
    miniport::{GeneralAttributes, Initializer, mac_option},
    sync::{Gate, Rundown, SpinLock},
};

use crate::{
    binding::{
        Nic,
        offload::{self, Offloads},
        wake_up_to_ndis,
    },
    config::{self, MiniportConfig},
    driver::Mux,
    instance::Instance,
    trace,
    virtual_miniport::{VirtualMiniport, Wishes},
};

/// Initialises the virtual miniport that was asked for, unless it is not wanted any more. An error
/// leaves nothing behind.
pub(super) fn initialize(
    mux: &Mux,
    initializer: &Initializer<'_, VirtualMiniport>,
    at: Passive<'_>,
) -> Result<Shared<VirtualMiniport>> {
    let instance = mux.find_instance(|instance| instance.context() == initializer.context());
    let instance = instance.ok_or(Status::NOT_ACCEPTED)?;
    instance.initialize_begun()?;
    match build(mux, initializer, &instance, at) {
        Ok((miniport, told)) => {
            instance.initialized(&miniport)?;
            // Had something changed meanwhile, nobody would have told this adapter.
            let now = Told::of(&instance, miniport.vlan);
            if now.link != told.link {
                instance.indicate_link();
            }
            if now.offloads != told.offloads {
                instance.indicate_offload_hardware();
                instance.indicate_offload();
            }
            Ok(miniport)
        }
        Err(status) => {
            trace::failed("MiniportInitializeEx", instance.name(), status);
            instance.initialize_failed();
            Err(status)
        }
    }
}

fn build(
    mux: &Mux,
    initializer: &Initializer<'_, VirtualMiniport>,
    instance: &Shared<Instance>,
    at: Passive<'_>,
) -> Result<(Shared<VirtualMiniport>, Told)> {
    let config = {
        let mut configuration = initializer.configuration()?;
        write_asked(mux, instance, &mut configuration, at)?;
        let unused = |error: &ConfigError| mux.log_config(error, instance.name());
        let config = config::miniport(&mut configuration, unused, at)?.ok_or(Status::FAILURE)?;
        instance.take_vlan(config.vlan).map_err(|taken| {
            unused(&taken);
            Status::FAILURE
        })?;
        config
    };
    let miniport = Shared::try_new(new(initializer, instance, &config)?)?;
    trace::configured(&miniport);
    initializer.register(&miniport)?;
    let told = Told::of(instance, config.vlan);
    let mut oids = try_to_vec(oid::SUPPORTED)?;
    oids.retain(|&oid| miniport.supports(oid));
    let attributes = attributes(&miniport, &miniport.nic, told.link, &oids);
    initializer.set_general(&attributes)?;
    if let Some(Offloads { current, hardware }) = told.offloads {
        initializer.set_offload(offload::to_ndis(current), offload::to_ndis(hardware))?;
    }
    Ok((miniport, told))
}

/// What the attributes say that status indications change later.
struct Told {
    link: LinkState,
    offloads: Option<Offloads>,
}

impl Told {
    fn of(instance: &Instance, vlan: VlanId) -> Self {
        let binding = instance.binding();
        Self {
            link: binding.link(),
            offloads: binding.offloads_of(vlan),
        }
    }
}

/// Writes what an administrator's program asked for when it asked for the virtual miniport: only now is
/// there a handle to its configuration.
fn write_asked(
    mux: &Mux,
    instance: &Instance,
    configuration: &mut Configuration<'_>,
    at: Passive<'_>,
) -> Result {
    let asked = instance.asked();
    if asked == Asked::default() {
        return Ok(());
    }
    config::write_own(asked, configuration, at)
        .inspect_err(|status| mux.log(Message::NotStarted, instance.name(), status))?;
    instance.asked_written(at);
    Ok(())
}

fn new(
    initializer: &Initializer<'_, VirtualMiniport>,
    instance: &Shared<Instance>,
    config: &MiniportConfig,
) -> Result<VirtualMiniport> {
    let nic = instance.binding().nic();
    let sizes = frame_sizes(nic.mtu, nic.tag_mode, config.vlan);
    if !sizes.is_usable() {
        return Err(Status::FAILURE);
    }
    let permanent_address = instance.permanent_address();
    let address = config.address.unwrap_or(permanent_address);
    let wake_up = nic.wake_up_shown(config, address);
    // NDIS initialises adapters in D0.
    let indications = Rundown::try_new()?;
    indications.open();
    let requests = Shared::try_new(Rundown::try_new()?)?;
    requests.open();
    Ok(VirtualMiniport {
        handle: initializer.handle(),
        instance: instance.clone(),
        nic,
        vlan: config.vlan,
        address,
        wake_up,
        permanent_address,
        sizes,
        statistics: Statistics::new(),
        traffic: Gate::shut_and_empty(),
        indications,
        requests,
        network_change: SpinLock::new(None),
        halted: AtomicBool::new(false),
        removed: AtomicBool::new(false),
        wishes: SpinLock::new(Wishes {
            filter: PacketFilter::EMPTY,
            multicast: MulticastList::new(),
        }),
        forwarded: SpinLock::new(None),
    })
}

/// The attributes of the adapter below, as far as they hold for the virtual miniport too.
fn attributes<'a>(
    miniport: &VirtualMiniport,
    nic: &Nic,
    link: LinkState,
    oids: &'a [u32],
) -> GeneralAttributes<'a> {
    let (access, direction, connection) = nic.interface_types;
    let tag = nic.tag_mode.tag_length(miniport.vlan);
    GeneralAttributes {
        mtu: miniport.sizes.mtu,
        maximum_transmit_speed: nic.maximum_speeds.0,
        maximum_receive_speed: nic.maximum_speeds.1,
        link,
        lookahead: miniport.lookahead(),
        mac_options: MAC_OPTIONS,
        packet_filters: nic.filters.kinds.shown().bits(),
        maximum_multicast_list: MulticastList::MAXIMUM as u32,
        permanent_address: miniport.permanent_address.octets(),
        current_address: miniport.address.octets(),
        access,
        direction,
        connection,
        data_backfill: nic.backfill.0.saturating_add(tag),
        context_backfill: nic
            .backfill
            .1
            .saturating_add(VirtualMiniport::CONTEXT_BACKFILL),
        receive_scaling: nic.scaling,
        wake_up: wake_up_to_ndis(miniport.wake_up),
        oids,
    }
}

/// Received frames are indicated whole, nothing is looped back here, and a client may ask for a
/// priority.
const MAC_OPTIONS: u32 = mac_option::COPY_LOOKAHEAD_DATA
    | mac_option::TRANSFERS_NOT_PEND
    | mac_option::NO_LOOPBACK
    | mac_option::PRIORITY;
