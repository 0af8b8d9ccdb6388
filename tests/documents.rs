//! What the pages say is what the code's tables say, and each test that `docs/control-plane.md` names is
//! there.
//! `UPDATE_DOCUMENTS=1 cargo test -p ndismux-tests --test documents` writes the rows anew.

use std::{env, fs, path::PathBuf, sync::Mutex};

use mux_core::event_log::Message;

#[test]
fn the_oid_table_is_the_one_in_the_code() {
    let rows = mux_core::oid::TABLE.iter().map(ToString::to_string);
    assert_shown(CONTROL_PLANE, "| `OID_", rows.collect());
}

#[test]
fn the_event_table_is_the_one_in_the_code() {
    let rows = mux_core::pnp::TABLE.iter().map(ToString::to_string);
    assert_shown(CONTROL_PLANE, "| `NetEvent", rows.collect());
}

#[test]
fn the_status_table_is_the_one_in_the_code() {
    let rows = mux_core::status::TABLE.iter().map(ToString::to_string);
    assert_shown(CONTROL_PLANE, "| `NDIS_STATUS_", rows.collect());
}

#[test]
fn the_texts_of_the_event_log_are_those_in_the_code() {
    let rows = Message::ALL.into_iter().map(|message| {
        let severity = match message.code() >> 30 {
            3 => "error",
            2 => "warning",
            other => panic!("{message:?} has the severity {other}"),
        };
        format!(
            "| message {} | {severity} | {} |",
            message.id(),
            message.text()
        )
    });
    assert_shown("docs/tracing.md", "| message ", rows.collect());
}

#[test]
fn each_named_test_is_there() {
    let oids = mux_core::oid::TABLE.iter().map(|row| row.test);
    let events = mux_core::pnp::TABLE.iter().map(|row| row.test);
    for test in oids.chain(events) {
        let (file, function) = test.rsplit_once("::").expect("a path below `tests`");
        let file = root()
            .join("tests")
            .join(file.replace("::", "/"))
            .with_extension("rs");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{test}: {error}"));
        let function = format!("fn {function}() {{");
        assert_eq!(
            text.matches(&function).count(),
            1,
            "{test} is in {}",
            file.display()
        );
    }
}

/// The lines of the page that begin with `start` are these.
fn assert_shown(page: &str, start: &str, rows: Vec<String>) {
    // Each table is written into what the one before left.
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock();
    let path = root().join(page);
    let page = fs::read_to_string(&path).expect("the page is there");
    let shown: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with(start))
        .collect();
    if env::var_os("UPDATE_DOCUMENTS").is_some() {
        let first = page.lines().position(|line| line.starts_with(start));
        let at = first.expect("the table has a row to begin with");
        let mut lines: Vec<&str> = page
            .lines()
            .filter(|line| !line.starts_with(start))
            .collect();
        lines.splice(at..at, rows.iter().map(String::as_str));
        fs::write(&path, lines.join("\n") + "\n").expect("the page can be written");
        return;
    }
    assert_eq!(shown, rows, "the rows of {}", path.display());
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

const CONTROL_PLANE: &str = "docs/control-plane.md";
