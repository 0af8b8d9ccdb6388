//! Running other programs: their failures as errors that name the command.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Runs `command` with this process's output, and fails if it does. `purpose` is what it is for, as
/// in "cannot `purpose`".
pub(crate) fn run(command: &mut Command, purpose: &str) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot {purpose}: {} does not start", line(command)))?;
    if !status.success() {
        bail!("cannot {purpose}: {} ended with {status}", line(command));
    }
    Ok(())
}

/// Runs `command` and returns what it wrote, whether it failed or not.
#[cfg(not(windows))]
pub(crate) fn output(command: &mut Command, purpose: &str) -> Result<std::process::Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot {purpose}: {} does not start", line(command)))
}

/// What `command` wrote to its standard output, without white space around it; `None` if it failed.
pub(crate) fn text(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.trim().to_owned())
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The file that `name` starts: found on `PATH`, or where system administration commands lie, which
/// the `PATH` of ordinary users leaves out.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = if cfg!(windows) {
        format!("{name}.exe")
    } else {
        name.to_owned()
    };
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(&file))
        .find(|candidate| Path::is_file(candidate))
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::line;

    #[test]
    fn a_command_is_shown_so_that_a_shell_reads_it_back() {
        let mut command = Command::new("cargo");
        command.args(["build", "--out=a b", "it's", ""]);
        assert_eq!(line(&command), r"cargo build '--out=a b' 'it'\''s' ''");
    }
}
