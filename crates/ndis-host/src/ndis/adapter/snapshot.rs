//! What the data path reads of an adapter without taking a lock: copies, made anew at each change.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Adapter;
use crate::ndis::attributes::Attributes;
use crate::ndis::binding::Binding;
use crate::ndis::ethernet::Mac;

impl Adapter {
    /// Its bindings that are open.
    pub(crate) fn bindings(&self) -> Arc<Vec<&'static Binding>> {
        self.bindings.load_full()
    }

    pub(crate) fn add_binding(&self, binding: &'static Binding) {
        let _alone = self.inner.lock();
        let mut bindings = Vec::clone(&self.bindings.load());
        bindings.push(binding);
        self.bindings.store(Arc::new(bindings));
    }

    pub(crate) fn remove_binding(&self, binding: &'static Binding) {
        let _alone = self.inner.lock();
        let mut bindings = Vec::clone(&self.bindings.load());
        bindings.retain(|other| !ptr::eq(*other, binding));
        self.bindings.store(Arc::new(bindings));
    }

    /// Its address now.
    pub(crate) fn mac(&self) -> Mac {
        let [_, _, mac @ ..] = self.mac.load(Ordering::SeqCst).to_be_bytes();
        mac
    }

    /// Reads or changes what it said of itself.
    pub(crate) fn with_attributes<R>(&self, f: impl FnOnce(&mut Attributes) -> R) -> R {
        let mut inner = self.inner.lock();
        let result = f(&mut inner.attributes);
        let [a, b, c, d, e, g] = inner.attributes.mac();
        let mac = u64::from_be_bytes([0, 0, a, b, c, d, e, g]);
        self.mac.store(mac, Ordering::SeqCst);
        result
    }
}
