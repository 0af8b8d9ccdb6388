//! One configured virtual miniport of a binding: its device name, and where it is in its life.
//!
//! It is made when the binding's `UpperBindings` names it, and ends when that does not any more, when its
//! own configuration has changed (another one takes its place), or with the binding. NDIS may initialise
//! and halt the virtual miniport many times meanwhile; each time makes a new
//! [`VirtualMiniport`].
//!
//! What it tells the drivers above stands in `indications`.

mod indications;

use core::{iter, num::NonZero};

use mux_core::{
    MacAddress, VlanId,
    config::{
        ConfigError, VLAN_ID,
        asked::{Address, Asked},
        same_name,
    },
    lifecycle::instance::{Instance as Lifecycle, Leave, State as LifecycleState},
};
use ndis::{
    Passive, Result, Shared, Status,
    im::{self, DeviceContext},
    string::UnicodeString,
    sync::{Event, Rundown, SpinLock},
};

use crate::{
    binding::Binding, config, driver::Mux, roster::Member, trace, virtual_miniport::VirtualMiniport,
};

/// A configured virtual miniport.
pub(crate) struct Instance {
    name: UnicodeString,
    /// By what NDIS says that it means this one.
    context: DeviceContext,
    /// The address that it has without a setting.
    permanent_address: MacAddress,
    binding: Shared<Binding>,
    state: SpinLock<State>,
    /// Who is asking NDIS for the virtual miniport: a request that has not returned cannot be cancelled.
    asking: Rundown,
    /// Who uses the adapter from elsewhere than its own callbacks.
    uses: Rundown,
    /// Set once the virtual miniport is gone for good.
    gone: Event,
}

struct State {
    lifecycle: Lifecycle,
    /// The virtual miniport that is initialised, from the end of its initialisation to its halt.
    miniport: Option<Shared<VirtualMiniport>>,
    /// The VLAN that is taken for it on the adapter below.
    vlan: Option<VlanId>,
    /// What is to be written into its configuration when it is initialised.
    asked: Asked,
    /// NDIS has to be asked for it: it never was, or that came to nothing.
    unasked: bool,
    /// A cancel is on its way. It names the device, so it would meet whoever asks for that next: until it
    /// has returned, this one is not gone.
    cancelling: bool,
}

impl Instance {
    /// An instance of which nothing has come yet. What is `asked` for it is written into the configuration
    /// of the virtual miniport before that is read, once there is a handle to it.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub(crate) fn try_new(
        name: &[u16],
        permanent_address: MacAddress,
        binding: &Shared<Binding>,
        asked: Asked,
    ) -> Result<Shared<Self>> {
        let instance = Self {
            name: UnicodeString::try_from_units(name)?,
            context: DeviceContext::unique(),
            permanent_address,
            binding: binding.clone(),
            state: SpinLock::new(State {
                lifecycle: Lifecycle::new(),
                miniport: None,
                vlan: None,
                asked,
                unasked: true,
                cancelling: false,
            }),
            asking: Rundown::try_new()?,
            uses: Rundown::try_new()?,
            gone: Event::try_new()?,
        };
        instance.asking.open();
        Shared::try_new(instance)
    }

    /// The device name.
    pub(crate) fn name(&self) -> &[u16] {
        self.name.units()
    }

    /// By what NDIS says that it means this one.
    pub(crate) fn context(&self) -> DeviceContext {
        self.context
    }

    /// The address that it has without a setting: no other virtual miniport of the binding has it.
    pub(crate) fn permanent_address(&self) -> MacAddress {
        self.permanent_address
    }

    /// The addresses that it may use: its permanent one, and the one that was set.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = MacAddress> {
        let set = self.state.with(|state| match state.asked.address {
            Some(Address::Set(address)) => Some(address),
            Some(Address::Derived) => None,
            None => state.miniport.as_ref().map(|miniport| miniport.address),
        });
        iter::once(self.permanent_address).chain(set)
    }

    /// The binding that it stands on.
    pub(crate) fn binding(&self) -> &Shared<Binding> {
        &self.binding
    }

    /// Asks NDIS to initialise the virtual miniport, unless that was done or the binding is leaving.
    ///
    /// # Errors
    /// NDIS refused. The binding goes on without this virtual miniport.
    pub(crate) fn request(this: &Shared<Self>, mux: &Mux, at: Passive<'_>) -> Result {
        if !this.asking.enter(1) {
            return Ok(());
        }
        let mut pause = FIRST_PAUSE;
        let asked = loop {
            let asked = Self::request_once(this, mux, at);
            if asked != Err(Status::NOT_ACCEPTED) || pause > LAST_PAUSE || this.has_rival(mux) {
                break asked;
            }
            // NDIS may not have ended the halt of the last one of this device, of which nobody tells.
            if this.gone.wait_at_most(pause, at) {
                break Ok(());
            }
            pause = pause.saturating_mul(TWICE);
        };
        this.asking.leave(1);
        asked
    }

    fn request_once(this: &Shared<Self>, mux: &Mux, at: Passive<'_>) -> Result {
        let wanted = this.change_state(|state| {
            let wanted = state.lifecycle.request();
            state.unasked &= wanted.is_err();
            wanted
        });
        if wanted.is_err() {
            return Ok(());
        }
        im::initialize_instance(mux.miniport(), &this.name, this.context, at).inspect_err(|_| {
            this.change_state(|state| {
                state.lifecycle.request_failed();
                state.unasked = true;
            });
        })
    }

    /// Whether another virtual miniport of the same device is there, on another adapter: NDIS has one of
    /// each only.
    fn has_rival(&self, mux: &Mux) -> bool {
        let is_rival = |other: &Shared<Self>| {
            !core::ptr::eq(&raw const **other, self) && same_name(other.name(), self.name())
        };
        mux.find_instance(is_rival).is_some()
    }

    /// Whether NDIS has to be asked for the virtual miniport: it never was, or what came of it was an
    /// error. One that NDIS halted by itself is not among these: NDIS says when it is wanted again.
    pub(crate) fn is_unasked(&self) -> bool {
        self.state.with(|state| state.unasked)
    }

    /// Whether the registry says other things of the virtual miniport than it was initialised with. What
    /// cannot be used changes nothing.
    pub(crate) fn has_changed(&self, mux: &Mux, at: Passive<'_>) -> bool {
        if !self.uses.enter(1) {
            return false;
        }
        let miniport = self.miniport();
        let now = miniport.as_ref().and_then(|miniport| {
            let mut configuration = miniport.handle.configuration(at).ok()?;
            let unused = |error: &ConfigError| {
                // Of anything else, whoever initialises it learns.
                if error.value_name() == VLAN_ID {
                    mux.log_config(error, self.name());
                }
            };
            config::miniport(&mut configuration, unused, at).ok()?
        });
        self.uses.leave(1);
        match (miniport, now) {
            (Some(miniport), Some(now)) => !miniport.is_as(&now),
            _ => false,
        }
    }

    /// The virtual miniport, while it is initialised.
    pub(crate) fn miniport(&self) -> Option<Shared<VirtualMiniport>> {
        self.state.with(|state| state.miniport.clone())
    }

    /// Where it is in its life.
    pub(crate) fn lifecycle(&self) -> LifecycleState {
        self.state.with(|state| state.lifecycle.state())
    }

    /// What is asked for it and still to be written into its configuration.
    pub(crate) fn asked(&self) -> Asked {
        self.state.with(|state| state.asked)
    }

    /// Asks other things for it, unless NDIS has taken the request for it already. Says whether it did.
    pub(crate) fn ask_instead(&self, asked: Asked) -> bool {
        self.state.with(|state| {
            let idle = state.lifecycle.state() == LifecycleState::Idle;
            if idle {
                state.asked = asked;
            }
            idle
        })
    }

    /// That is written: the binding's configuration need not keep it.
    pub(crate) fn asked_written(&self, at: Passive<'_>) {
        self.state.with(|state| state.asked = Asked::default());
        self.binding.forget_asked(self.name(), at);
    }

    /// Takes the VLAN that the virtual miniport is configured for, until it ends or could not be
    /// initialised.
    ///
    /// # Errors
    /// [`ConfigError::VlanIdTaken`].
    pub(crate) fn take_vlan(&self, vlan: VlanId) -> core::result::Result<(), ConfigError> {
        if !self.binding.take_vlan(vlan) {
            return Err(ConfigError::VlanIdTaken { vlan });
        }
        self.state.with(|state| state.vlan = Some(vlan));
        Ok(())
    }

    /// The VLAN that is taken for it, or the one that it was asked for with.
    pub(crate) fn vlan(&self) -> Option<VlanId> {
        self.state.with(|state| state.vlan.or(state.asked.vlan))
    }

    /// Frees its VLAN. Before anybody learns that it ended: whoever waits for that may want the VLAN.
    fn free_vlan(&self) {
        if let Some(vlan) = self.state.with(|state| state.vlan.take()) {
            self.binding.free_vlan(vlan);
        }
    }

    /// `MiniportInitializeEx` was called.
    ///
    /// # Errors
    /// [`Status::NOT_ACCEPTED`] if the virtual miniport is not wanted any more.
    pub(crate) fn initialize_begun(&self) -> Result {
        self.change(Lifecycle::initialize_begun)
            .map_err(|_| Status::NOT_ACCEPTED)
    }

    /// `MiniportInitializeEx` is about to return success.
    ///
    /// # Errors
    /// [`Status::NOT_ACCEPTED`] if the binding began to leave meanwhile: initialisation must fail.
    pub(crate) fn initialized(&self, miniport: &Shared<VirtualMiniport>) -> Result {
        let kept = self.step(|state| {
            let kept = state.lifecycle.initialize_ended(true);
            if kept.is_ok() {
                state.miniport = Some(miniport.clone());
                state.unasked = false;
            }
            kept
        });
        if kept.is_err() {
            self.free_vlan();
            self.wake_if_gone();
            return Err(Status::NOT_ACCEPTED);
        }
        self.uses.open();
        Ok(())
    }

    /// `MiniportInitializeEx` is about to return an error; everything it did is undone.
    pub(crate) fn initialize_failed(&self) {
        self.free_vlan();
        self.change_state(|state| {
            // A failed initialisation is never refused.
            let _accepted = state.lifecycle.initialize_ended(false);
            state.unasked = true;
        });
    }

    /// `MiniportRestart`.
    pub(crate) fn restarted(&self) -> Result {
        self.change(Lifecycle::restarted)
            .map_err(|_| Status::FAILURE)
    }

    /// `MiniportPause` was called.
    pub(crate) fn pause_begun(&self) {
        self.change(|lifecycle| {
            // NDIS pauses a running adapter only; a pause of another one finds nothing to stop.
            let _accepted = lifecycle.pause_begun();
        });
    }

    /// Nothing of the virtual miniport's is outstanding any more.
    pub(crate) fn paused(&self) {
        self.change(Lifecycle::paused);
    }

    /// `MiniportHaltEx` was called: nobody deinitialises the adapter or indicates on it any more.
    pub(crate) fn halt_begun(&self, at: Passive<'_>) {
        let miniport = self.state.with(|state| state.miniport.take());
        drop(miniport);
        self.uses.drain(at);
    }

    /// `MiniportHaltEx` is about to return.
    pub(crate) fn halted(&self) {
        self.free_vlan();
        self.change(Lifecycle::halted);
    }

    /// The binding is leaving, or does not want this virtual miniport any more: begins to take it down, in
    /// whatever way its state demands. [`wait_until_gone`](Self::wait_until_gone) ends it. Several may want
    /// that at once: the first one does it.
    pub(crate) fn leave(&self, mux: &Mux, at: Passive<'_>) {
        let (first, leave) = self.change_state(|state| {
            let first = !state.lifecycle.leaving();
            let leave = state.lifecycle.leave();
            state.cancelling |= leave == Leave::Cancel;
            (first, leave)
        });
        if first {
            self.asking.drain(at);
        }
        match leave {
            Leave::Gone | Leave::Wait => {}
            Leave::Cancel => self.cancel(mux, at),
            Leave::Deinitialize => {
                if let Some(miniport) = self.miniport() {
                    // The handle was valid under the lock. Should NDIS say otherwise now, it is
                    // halting the virtual miniport by itself, and that ends the wait as well.
                    let _begun = im::deinitialize_instance(miniport.handle, at);
                }
            }
        }
    }

    /// Takes the request for the virtual miniport back. If that fails, initialisation has begun or will,
    /// and is refused: nothing to do but wait.
    fn cancel(&self, mux: &Mux, at: Passive<'_>) {
        // A request that NDIS refused must not be cancelled: the device may be somebody else's.
        let cancelled = self.lifecycle() == LifecycleState::Requested
            && im::cancel_initialize_instance(mux.miniport(), &self.name, at).is_ok();
        self.change_state(|state| {
            state.cancelling = false;
            // If there was nothing to cancel any more, it is gone already.
            let _wait_or_gone = state.lifecycle.cancelled(cancelled);
        });
    }

    /// Waits until the virtual miniport is gone for good.
    pub(crate) fn wait_until_gone(&self, at: Passive<'_>) {
        self.gone.wait(at);
    }

    /// Whether it is being taken down, or was.
    pub(crate) fn is_leaving(&self) -> bool {
        self.state.with(|state| state.lifecycle.leaving())
    }

    fn change<R>(&self, event: impl FnOnce(&mut Lifecycle) -> R) -> R {
        self.change_state(|state| event(&mut state.lifecycle))
    }

    /// Lets an event happen, and wakes who waits for the end if this was it.
    fn change_state<R>(&self, event: impl FnOnce(&mut State) -> R) -> R {
        let result = self.step(event);
        self.wake_if_gone();
        result
    }

    /// Lets an event happen, and traces what it changed.
    fn step<R>(&self, event: impl FnOnce(&mut State) -> R) -> R {
        let (result, before, after) = self.state.with(|state| {
            let before = state.lifecycle;
            let result = event(state);
            (result, before, state.lifecycle)
        });
        trace::virtual_miniport(self.name(), before, after);
        result
    }

    fn wake_if_gone(&self) {
        if self.is_gone() {
            self.gone.set();
        }
    }
}

impl Member for Instance {
    fn is_gone(&self) -> bool {
        self.state
            .with(|state| state.lifecycle.gone() && !state.cancelling)
    }
}

/// How long NDIS is given to end the halt of the last virtual miniport of a device before it is asked for
/// the next one again, in milliseconds: each time twice as long, some four seconds in all.
const FIRST_PAUSE: NonZero<u32> = NonZero::<u32>::MIN;
const LAST_PAUSE: NonZero<u32> = NonZero::new(2048).expect("it is not zero");
const TWICE: NonZero<u32> = NonZero::new(2).expect("it is not zero");
