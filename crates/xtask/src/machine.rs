//! What the machine must have, and getting it there.
//!
//! A command states its needs; [`ensure`] looks which of them are not met and installs the Debian
//! packages that meet them when it runs as root, or says which line installs them.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// One thing that a command needs from the machine.
pub(crate) struct Need {
    /// What it is, for people to read: `ip (network namespaces)`.
    pub(crate) what: String,
    /// Whether the machine has it.
    pub(crate) met: Box<dyn Fn() -> bool>,
    /// The Debian packages that provide it; `a|b` names alternatives, the first that the machine's
    /// package lists have is taken.
    pub(crate) packages: &'static [&'static str],
}

impl Need {
    /// A need that `met` tells about.
    #[cfg(not(windows))]
    pub(crate) fn new(
        what: impl Into<String>,
        packages: &'static [&'static str],
        met: impl Fn() -> bool + 'static,
    ) -> Self {
        Self {
            what: what.into(),
            met: Box::new(met),
            packages,
        }
    }
}

/// Whether each of `needs` is met, as lines for people to read, and whether all are.
pub(crate) fn report(needs: &[Need]) -> (String, bool) {
    let mut all = true;
    let mut text = String::new();
    for need in needs {
        let met = (need.met)();
        all &= met;
        if met {
            text += &format!("  has    {}\n", need.what);
        } else {
            text += &format!(
                "  lacks  {} (Debian: {})\n",
                need.what,
                need.packages.join(" ")
            );
        }
    }
    (text, all)
}

/// Makes sure that the machine meets `needs`.
///
/// Installs what is missing where that is possible: on a Debian system, as root. Fails with the one
/// line that does it elsewhere.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.met)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = names(&missing);
    if process::find_program("apt-get").is_none() {
        bail!(
            "this machine lacks {what}; install what Debian has in {}",
            all_packages(&missing).join(" ")
        );
    }
    if !is_root() {
        let packages: Vec<&str> = all_packages(&missing)
            .iter()
            .map(|package| available(package).unwrap_or(first(package)))
            .collect();
        bail!(
            "this machine lacks {what}; install it by: sudo apt-get install --no-install-recommends {}",
            packages.join(" ")
        );
    }

    eprintln!("this machine lacks {what}: installing it");
    let packages = choose(&missing)?;
    apt(&["install", "--yes", "--no-install-recommends"], &packages)?;
    let still: Vec<&Need> = missing.into_iter().filter(|need| !(need.met)()).collect();
    if still.is_empty() {
        Ok(())
    } else {
        bail!(
            "{} installed, but this machine still lacks {}",
            packages.join(", "),
            names(&still)
        )
    }
}

fn names(needs: &[&Need]) -> String {
    let names: Vec<&str> = needs.iter().map(|need| need.what.as_str()).collect();
    names.join(", ")
}

/// The packages of `needs`, each once, alternatives unresolved.
fn all_packages(needs: &[&Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for package in needs.iter().flat_map(|need| need.packages) {
        if !packages.contains(package) {
            packages.push(*package);
        }
    }
    packages
}

/// The packages to install for `needs`. Reads the package lists anew first: those that a machine came
/// with may be so old that they name a compiler that is too old.
fn choose(needs: &[&Need]) -> Result<Vec<&'static str>> {
    if let Err(error) = apt(&["update"], &[]) {
        eprintln!("{error:#}; going on with the package lists that there are");
    }
    all_packages(needs)
        .into_iter()
        .map(|package| match available(package) {
            Some(found) => Ok(found),
            None => bail!("no package source of this machine has {package}"),
        })
        .collect()
}

/// The first of a package's alternatives that the package lists have.
fn available(package: &'static str) -> Option<&'static str> {
    package.split('|').find(|name| {
        let mut policy = Command::new("apt-cache");
        policy.args(["policy", name]).env("LC_ALL", "C");
        process::text(&mut policy)
            .is_some_and(|text| text.contains("Candidate:") && !text.contains("Candidate: (none)"))
    })
}

fn first(package: &'static str) -> &'static str {
    package.split('|').next().unwrap_or(package)
}

fn apt(arguments: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args([
            "--quiet",
            "-o",
            "Dpkg::Use-Pty=0",
            "-o",
            "DPkg::Lock::Timeout=300",
        ])
        .args(arguments)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    eprintln!("> {}", process::line(&command));
    process::run(&mut command, "install packages")
}

fn is_root() -> bool {
    let mut id = Command::new("id");
    id.arg("-u");
    process::text(&mut id).is_some_and(|user| user == "0")
}
