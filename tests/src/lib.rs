//! What the end-to-end tests share: a process for each test, and labs around the driver image.
//!
//! A driver image is process-global in the host, and a broken rule ends the process. So each test runs
//! itself again in a process of its own, and fails with what that one printed.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

mod faults;
mod frames;
mod host;
mod images;
mod lab;
mod schedules;
mod traffic;

pub use faults::{Fault, faults_in};
pub use frames::{Frame, MAC_BELOW, MAC_BELOW_1, MAC_PEER, tag};
pub use host::ndishost;
pub use images::{alarm_image, alarm_sources, build_test_drivers, test_image};
pub use lab::{
    BINDING, BINDING1, MuxLab, NIC, NIC1, NONE, SERVICE, VLAN10, VLAN20, VLAN30, VirtualMiniport,
    device,
};
pub use schedules::race;
pub use traffic::{frames, must_succeed, until};

/// How long anything may take before a test gives up on it. Nothing in a test takes as long by right.
pub const SOON: Duration = Duration::from_secs(10);

/// How long a test waits for what must not happen.
pub const NEVER: Duration = Duration::from_millis(200);

/// Declares tests, each of which runs in a process of its own. Those that begin with `with test_drivers;`
/// load images that [`test_image`] names.
#[macro_export]
macro_rules! image_tests {
    (with test_drivers; $($tests:tt)*) => {
        $crate::image_tests! { after $crate::build_test_drivers; $($tests)* }
    };
    (after $ready:path; $($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            $ready();
            let name = concat!(module_path!(), "::", stringify!($name));
            $crate::in_own_process(name, || $body);
        }
    )*};
    ($($tests:tt)*) => {
        $crate::image_tests! { after $crate::nothing; $($tests)* }
    };
}

/// What tests need to be ready that load ndismux alone: nothing.
#[doc(hidden)]
pub fn nothing() {}

/// Runs `body` in a process of its own: this test executable, started again for this test alone.
///
/// # Panics
/// If that process fails, with what it printed.
pub fn in_own_process(name: &str, body: impl FnOnce()) {
    let Some(output) = own_process(name, body) else {
        return;
    };
    assert!(
        output.succeeded,
        "{name} failed in its own process ({}):\n{}",
        output.status, output.text
    );
}

/// Runs `body` in a process of its own, as [`in_own_process`] does, and answers with how that ended;
/// with nothing in that process itself, after `body` has run.
pub fn own_process(name: &str, body: impl FnOnce()) -> Option<Output> {
    if is_own_process() {
        ndis_host::rules::show_calls_on_panic();
        body();
        return None;
    }
    Some(run_alone(name))
}

/// Waits until `condition` holds.
///
/// # Panics
/// If that does not come [`SOON`]: then `what` came in vain.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::yield_now();
    }
}

/// The driver image under test.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn image() -> PathBuf {
    let path = env::var_os("NDISMUX_IMAGE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../target/driver/ndismux.sys"
            ))
        },
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "there is no driver image at {}: `cargo xtask driver` builds it, or NDISMUX_IMAGE names one",
        path.display()
    );
    path
}

/// How a process of a test's own ended.
pub struct Output {
    succeeded: bool,
    /// Its exit code or signal.
    pub status: std::process::ExitStatus,
    /// What it printed.
    pub text: String,
}

fn is_own_process() -> bool {
    env::var_os(CHILD).is_some()
}

fn run_alone(name: &str) -> Output {
    // The harness knows tests by their path within the crate.
    let name = name
        .split_once("::")
        .map_or(name, |(_crate, within)| within);
    let test = env::current_exe().expect("the running test has an executable");
    let output = Command::new(test)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .output()
        .expect("the test's own executable starts");
    let text = [output.stdout, output.stderr].concat();
    Output {
        succeeded: output.status.success(),
        status: output.status,
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// Set in the process of a single test.
const CHILD: &str = "NDISMUX_TEST_CHILD";
