//! One configured virtual miniport of a binding: its device name, and where it is in its life.
//!
//! It is made when the binding's `UpperBindings` names it, and ends when that does not any more, when its
//! own configuration has changed (another one takes its place), or with the binding. NDIS may initialise
//! and halt the virtual miniport many times meanwhile; each time makes a new
//! [`VirtualMiniport`](crate::virtual_miniport::VirtualMiniport).

use mux_core::{
    MacAddress,
    config::{ConfigError, VLAN_ID},
    lifecycle::instance::{Instance as Lifecycle, Leave},
};
use ndis::{
    Passive, Result, Shared, Status, im,
    miniport::MiniportHandle,
    protocol::StatusIndication,
    string::UnicodeString,
    sync::{Event, Rundown, SpinLock},
};

use crate::{
    binding::Binding,
    config::{self, MiniportConfig},
    driver::Mux,
    roster::Member,
};

/// A configured virtual miniport.
pub(crate) struct Instance {
    name: UnicodeString,
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
    /// The adapter that is initialised: what a deinitialisation names.
    adapter: Option<MiniportHandle>,
    /// What the adapter was initialised with.
    config: Option<MiniportConfig>,
    /// NDIS has to be asked for it: it never was, or that came to nothing.
    unasked: bool,
}

impl Instance {
    pub(crate) fn try_new(
        name: &[u16],
        permanent_address: MacAddress,
        binding: &Shared<Binding>,
    ) -> Result<Shared<Self>> {
        let instance = Self {
            name: UnicodeString::try_from_units(name)?,
            permanent_address,
            binding: binding.clone(),
            state: SpinLock::new(State {
                lifecycle: Lifecycle::new(),
                adapter: None,
                config: None,
                unasked: true,
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

    /// The address that it has without a setting: no other virtual miniport of the binding has it.
    pub(crate) fn permanent_address(&self) -> MacAddress {
        self.permanent_address
    }

    /// Whether it may use this address: it is its permanent one, or the one that was set.
    pub(crate) fn may_use(&self, address: MacAddress) -> bool {
        let set = self
            .state
            .with(|state| state.config.and_then(|config| config.address));
        self.permanent_address == address || set == Some(address)
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
        let wanted = this.state.with(|state| {
            let wanted = state.lifecycle.request();
            state.unasked &= wanted.is_err();
            wanted
        });
        let asked = if wanted.is_ok() {
            im::initialize_instance(mux.miniport(), &this.name, this, at).inspect_err(|_| {
                this.change_state(|state| {
                    state.lifecycle.request_failed();
                    state.unasked = true;
                });
            })
        } else {
            Ok(())
        };
        this.asking.leave(1);
        asked
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
        let (adapter, used) = self.state.with(|state| (state.adapter, state.config));
        let now = adapter.and_then(|adapter| {
            let mut configuration = adapter.configuration(at).ok()?;
            let unused = |error: &ConfigError| {
                // Of anything else, whoever initialises it learns.
                if error.value_name() == VLAN_ID {
                    mux.log_config(error, self.name());
                }
            };
            config::miniport(&mut configuration, unused, at).ok()?
        });
        self.uses.leave(1);
        now.is_some_and(|now| used != Some(now))
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
    pub(crate) fn initialized(&self, adapter: MiniportHandle, config: MiniportConfig) -> Result {
        self.change_state(|state| {
            let kept = state.lifecycle.initialize_ended(true);
            if kept.is_ok() {
                state.adapter = Some(adapter);
                state.config = Some(config);
                state.unasked = false;
            }
            kept
        })
        .map_err(|_| Status::NOT_ACCEPTED)?;
        self.uses.open();
        Ok(())
    }

    /// Tells the drivers above of the link's state as it is now, if the virtual miniport is initialised.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn indicate_link(&self) {
        self.tell(|adapter| {
            let mut link = self.binding.link();
            loop {
                adapter.indicate_link_state(link);
                // Another thread's older news must not be the last word.
                let now = self.binding.link();
                if now == link {
                    break;
                }
                link = now;
            }
        });
    }

    /// Tells the drivers above what the adapter below told, if the virtual miniport is initialised.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn forward_status(&self, status: &StatusIndication<'_>) {
        self.tell(|adapter| adapter.forward_status(status));
    }

    /// Indicates something on the adapter, while there is one: a halt waits for the end of it.
    fn tell(&self, indicate: impl FnOnce(MiniportHandle)) {
        if !self.uses.enter(1) {
            return;
        }
        if let Some(adapter) = self.state.with(|state| state.adapter) {
            indicate(adapter);
        }
        self.uses.leave(1);
    }

    /// `MiniportInitializeEx` is about to return an error; everything it did is undone.
    pub(crate) fn initialize_failed(&self) {
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
        self.state.with(|state| state.adapter = None);
        self.uses.drain(at);
    }

    /// `MiniportHaltEx` is about to return.
    pub(crate) fn halted(&self) {
        self.change(Lifecycle::halted);
    }

    /// The binding is leaving, or does not want this virtual miniport any more: begins to take it down, in
    /// whatever way its state demands. [`wait_until_gone`](Self::wait_until_gone) ends it. Several may want
    /// that at once: the first one does it.
    pub(crate) fn leave(&self, mux: &Mux, at: Passive<'_>) {
        let (first, leave) = self.change(|lifecycle| (!lifecycle.leaving(), lifecycle.leave()));
        if first {
            self.asking.drain(at);
        }
        match leave {
            Leave::Gone | Leave::Wait => {}
            Leave::Cancel => {
                let cancelled = im::cancel_initialize_instance(mux.miniport(), &self.name, at);
                // If that failed, initialisation has begun or will, and is refused: nothing to do
                // but wait. If there was nothing to cancel any more, it is gone already.
                let _wait_or_gone = self.change(|lifecycle| lifecycle.cancelled(cancelled.is_ok()));
            }
            Leave::Deinitialize => {
                if let Some(adapter) = self.state.with(|state| state.adapter) {
                    // The handle was valid under the lock. Should NDIS say otherwise now, it is
                    // halting the virtual miniport by itself, and that ends the wait as well.
                    let _begun = im::deinitialize_instance(adapter, at);
                }
            }
        }
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
        let (result, gone) = self.state.with(|state| {
            let result = event(state);
            (result, state.lifecycle.gone())
        });
        if gone {
            self.gone.set();
        }
        result
    }
}

impl Member for Instance {
    fn is_gone(&self) -> bool {
        self.state.with(|state| state.lifecycle.gone())
    }
}
