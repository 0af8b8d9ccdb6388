//! The documentation's page of the host says what the code says.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;

use ndis_host::cli::registry;

/// With `UPDATE_DOCS=1` in the environment the page is written anew.
#[test]
fn the_page_has_the_rules_and_functions_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/host.md");
    let page = std::fs::read_to_string(&path).expect("docs/host.md is there");
    let mut fresh = with_part(&page, "rules", &registry::rules_markdown());
    fresh = with_part(&fresh, "functions", &registry::functions_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("docs/host.md can be written");
        return;
    }
    let stale = fresh
        .lines()
        .zip(page.lines())
        .find(|(new, old)| new != old);
    assert!(
        fresh == page,
        "docs/host.md is not what the code says; first line that differs: {stale:#?}\n\
         refresh it: UPDATE_DOCS=1 cargo test -p ndis-host --test host_page"
    );
}

/// `page` with `text` between the marks of `part`.
fn with_part(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (
        format!("<!-- begin {part} -->\n"),
        format!("<!-- end {part} -->"),
    );
    let (before, rest) = page.split_once(&begin).expect("the part begins");
    let (_, after) = rest.split_once(&end).expect("the part ends");
    format!(
        "{before}{begin}\n{}\n{end}{after}",
        text.trim_end_matches('\n').to_owned() + "\n"
    )
}
