//! Finds libdpdk, compiles the shim and writes the raw bindings.
//!
//! Linking is against Debian's shared libraries, and only against the few the shim and the bindings
//! call. Drivers (PMDs, buses, mempool handlers) are not linked at all: EAL loads every plugin of
//! the directory compiled into librte_eal, so `--as-needed` has nothing of value to drop.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::PathBuf;
use std::process::{Command, exit};

/// One LTS is supported, on purpose: struct layouts and offload flags change between releases.
const WANTED: [&str; 2] = ["libdpdk >= 22.11", "libdpdk < 23"];

const LIBRARIES: [&str; 5] = ["rte_eal", "rte_ethdev", "rte_mbuf", "rte_mempool", "rte_ring"];

const FUNCTIONS: &[&str] = &[
    "rte_dev_name",
    "rte_dev_probe",
    "rte_eal_init",
    "rte_eth_dev_adjust_nb_rx_tx_desc",
    "rte_eth_dev_close",
    "rte_eth_dev_configure",
    "rte_eth_dev_get_name_by_port",
    "rte_eth_dev_get_port_by_name",
    "rte_eth_dev_info_get",
    "rte_eth_dev_rss_hash_conf_get",
    "rte_eth_dev_rss_hash_update",
    "rte_eth_dev_socket_id",
    "rte_eth_dev_start",
    "rte_eth_dev_stop",
    "rte_eth_find_next",
    "rte_eth_link_get_nowait",
    "rte_eth_macaddr_get",
    "rte_eth_promiscuous_enable",
    "rte_eth_promiscuous_get",
    "rte_eth_read_clock",
    "rte_eth_rx_queue_setup",
    "rte_eth_stats_get",
    "rte_eth_tx_queue_setup",
    "rte_eth_xstats_get",
    "rte_eth_xstats_get_names",
    "rte_free",
    "rte_get_tsc_hz",
    "rte_mbuf_dyn_rx_timestamp_register",
    "rte_mempool_avail_count",
    "rte_pktmbuf_free_bulk",
    "rte_pktmbuf_pool_create",
    "rte_ring_create",
    "rte_ring_free",
    "rte_socket_count",
    "rte_socket_id",
    "rte_socket_id_by_idx",
    "rte_strerror",
    "rte_thread_register",
    "rte_thread_unregister",
    "rte_zmalloc_socket",
    "tapir_.*",
];

/// The typed constants of `shim/dpdk.h`.
const CONSTANTS: &[&str] = &[
    "RX_.*",
    "OFFLOAD_.*",
    "HASH_(IP|TCP|UDP|SCTP)",
    "SPEED_UNKNOWN",
    "LINK_(UP|FULL_DUPLEX|AUTONEG)",
    "ANY_(SOCKET|LCORE)",
    "HEADROOM",
    "RING_(SINGLE_PRODUCER|SINGLE_CONSUMER|EXACT_SIZE)",
    "MAX_PORTS",
    "RTE_ETH_NAME_MAX_LEN",
    "RTE_ETH_MQ_RX_RSS",
];

/// Types whose inside is DPDK's own business; as blobs they keep a hundred others out.
const OPAQUE: &[&str] = &["rte_mempool", "rte_ring", "rte_device", "rte_eth_rxseg_capa"];

fn main() {
    for path in ["build.rs", "shim/dpdk.h", "shim/shim.h", "shim/shim.c"] {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rerun-if-env-changed=PKG_CONFIG");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");

    let flags = pkg_config(&["--cflags"]);
    for directory in pkg_config(&["--libs-only-L"]) {
        println!(
            "cargo::rustc-link-search=native={}",
            directory.trim_start_matches("-L")
        );
    }
    compile_shim(&flags);
    // After the shim: a linker that drops what is not needed yet wants the archive first.
    for library in LIBRARIES {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
    write_bindings(&flags);
}

/// Asks pkg-config about libdpdk; without an answer the build ends with what to install.
fn pkg_config(question: &[&str]) -> Vec<String> {
    let program = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let answer = Command::new(program).args(question).args(WANTED).output();
    match answer {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        _ => fail(
            "libdpdk 22.11 not found: install it (Debian 12: `apt-get install pkg-config libdpdk-dev libclang-dev`), \
             or build without DPDK (`--no-default-features`)",
        ),
    }
}

fn compile_shim(flags: &[String]) {
    let mut build = cc::Build::new();
    // Optimised in debug builds too: a debug binary still has to keep up with a queue in tests.
    build
        .file("shim/shim.c")
        .opt_level(3)
        .warnings(true)
        .extra_warnings(true);
    for flag in flags {
        // DPDK's headers are not written for our warning level.
        match flag.strip_prefix("-I") {
            Some(directory) => build.flag("-isystem").flag(directory),
            None => build.flag(flag),
        };
    }
    build.compile("tapir_dpdk_shim");
}

fn write_bindings(flags: &[String]) {
    let mut builder = bindgen::Builder::default()
        .header("shim/dpdk.h")
        .clang_args(flags)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .generate_comments(false)
        .layout_tests(true)
        .use_core()
        .formatter(bindgen::Formatter::None);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in CONSTANTS {
        builder = builder.allowlist_var(name);
    }
    for name in OPAQUE {
        builder = builder.opaque_type(name);
    }

    // bindgen panics when it can't load libclang, with a page of text and no package name.
    let report = take_hook();
    set_hook(Box::new(|_| {}));
    let bindings = catch_unwind(AssertUnwindSafe(|| builder.generate()));
    set_hook(report);
    let bindings = match bindings {
        Ok(Ok(bindings)) => bindings,
        Ok(Err(error)) => fail(&format!("bindgen can't read the DPDK headers: {error}")),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .map_or("no reason given", String::as_str);
            fail(&format!(
                "bindgen can't start ({reason}): install libclang (Debian 12: `apt-get install libclang-dev`)"
            ))
        }
    };
    let Some(directory) = env::var_os("OUT_DIR") else {
        fail("OUT_DIR is not set: build with cargo")
    };
    if let Err(error) = bindings.write_to_file(PathBuf::from(directory).join("bindings.rs")) {
        fail(&format!("bindings can't be written: {error}"));
    }
}

fn fail(reason: &str) -> ! {
    println!("cargo::error={reason}");
    exit(1)
}
