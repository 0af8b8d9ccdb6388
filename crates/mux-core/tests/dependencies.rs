//! The core decides alone: it uses no other crate, so it runs in a kernel, a test and a fuzzer alike.

#[test]
fn it_depends_on_nothing() {
    let manifest = include_str!("../Cargo.toml");
    let (_, after) = manifest.split_once("[dependencies]\n").unwrap();
    let dependencies = after.split('[').next().unwrap();
    assert_eq!(dependencies.trim(), "");
    assert_eq!(
        manifest.matches("dependencies]").count(),
        2,
        "and [dev-dependencies]"
    );
}
