//! docs/sidecar.md, of which parts are made from the code.

use std::sync::Mutex;

/// Several tests look at the page, and write it where they are asked to.
static PAGE: Mutex<()> = Mutex::new(());

/// The page must be what `renew` makes of it; with `UPDATE_DOCS` in the environment it becomes that.
pub(crate) fn is_current(renew: impl FnOnce(&str) -> String) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sidecar.md");
    let _one_by_one = PAGE.lock();
    let page = std::fs::read_to_string(path).unwrap();
    let current = renew(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &current).unwrap();
    } else {
        assert!(
            page == current,
            "docs/sidecar.md is not what UPDATE_DOCS=1 would write"
        );
    }
}
