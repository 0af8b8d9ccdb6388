//! Status indications of the adapter below.

use ndis::protocol::StatusIndication;

use crate::binding::Binding;

/// The link's state goes up to every virtual miniport; nothing else does.
pub(super) fn status(binding: &Binding, indication: &StatusIndication<'_>) {
    if let Some(link) = indication.link_state() {
        binding.set_link(link);
        let instances = binding.instances().list();
        instances
            .iter()
            .for_each(|instance| instance.indicate_link());
    }
}
