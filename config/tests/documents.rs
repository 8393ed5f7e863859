//! The example and docs/configuration.md agree with the types.

use std::path::PathBuf;
use tapir_config::{Config, Device, Port, RecordFormat, Sink, Whole};

fn without_ports_and_sinks(mut config: Config) -> Config {
    config.ports.clear();
    config.sinks.clear();
    config
}

#[test]
fn the_example_is_the_defaults_with_one_port_and_one_sink() {
    let config = Config::parse(&tapir_config::example(), "example", &[]).unwrap();
    let mut port = Port::new(Device::Pci("01:00.0".parse().unwrap()));
    port.queues = Whole::new(1);
    assert_eq!(config.ports, [port]);
    assert_eq!(
        config.sinks,
        [Sink::file(
            "/var/lib/tapir/sessions.fb".into(),
            RecordFormat::Flatbuffers
        )]
    );
    assert_eq!(without_ports_and_sinks(config), Config::default());
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn the_keys_behind_a_comment_sign_are_valid_too() {
    // Those that exclude each other stay behind it.
    let exclusive = [
        "# vdev =",
        "# rx_lcore =",
        "# listen =",
        "# subscribers_max =",
        "# connect =",
        "# certificate =",
        "# key =",
        "# ca =",
    ];
    let uncommented: String = tapir_config::example()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key)
                if (key.contains(" = ") || key.starts_with("[["))
                    && !exclusive.iter().any(|left| line.starts_with(left)) =>
            {
                format!("{key}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let config = Config::parse(&uncommented, "example", &["dns"]).unwrap();
    assert!(config.workers.collector_core.is_some() && config.eal.memory.is_some());
}

#[test]
fn the_reference_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, tapir_config::reference()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == tapir_config::reference(),
        "docs/configuration.md is not what UPDATE_DOCS=1 would write"
    );
    // Every key of the example has its row.
    let keys = tapir_config::example();
    let keys = keys.lines().filter_map(|line| {
        line.trim_start_matches("# ")
            .split_once(" = ")
            .map(|(key, _)| key)
    });
    for key in keys.filter(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')) {
        assert!(page.contains(&format!("| `{key}` |")), "{key} is not documented");
    }
}
