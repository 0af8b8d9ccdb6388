//! Who listens to what drivers trace, and what they heard.

use super::Lab;
use crate::nt::etw::{self, Event, session::Session};

impl Lab {
    /// Starts a tracing session: providers learn of it, at once or when they register, and what they
    /// write is kept.
    pub fn listen(&self, session: Session) {
        self.as_host(|| etw::listen(session));
    }

    /// Ends all tracing sessions. What they were told stays.
    pub fn stop_listening(&self) {
        self.as_host(etw::stop_listening);
    }

    /// What the sessions were told so far, oldest first: the last ten thousand events.
    pub fn traced(&self) -> Vec<Event> {
        etw::events()
    }
}
