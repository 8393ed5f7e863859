//! What a user is told about a wrong configuration: every problem, one line each.

use tapir_config::{Config, Device};

const PROTOCOLS: &[&str] = &["dns", "http1", "mysql", "redis"];

fn problems(text: &str) -> Vec<String> {
    match Config::parse(text, "t.toml", PROTOCOLS) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.to_string().lines().map(str::to_owned).collect(),
    }
}

fn problem(text: &str) -> String {
    let mut problems = problems(text);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.remove(0)
}

#[test]
fn all_problems_are_told_in_the_order_of_their_lines() {
    let text = r#"
[flow]
max_per_lcore = 5

[[ports]]
pci = "eth0"
que = 2

[flows]
max_per_lcore = "many"
udp_timeout = 60

[wire]
tunnels = ["vxlan", "genev", 7]

[protocols]
enabled = ["dns", "http"]
response_timeouts = { mysql = "5m", redi = "1s", redis = 3 }
"#;
    let expected = [
        "t.toml:2: key 'flow': unknown; did you mean 'flows'?",
        "t.toml:6: key 'ports[0].pci' = \"eth0\": expected a PCI address such as \"0000:01:00.0\" \
         (`tapir doctor` lists NICs); write for example \"0000:01:00.0\"",
        "t.toml:7: key 'ports[0].que' = 2: unknown; did you mean 'queues'?",
        "t.toml:10: key 'flows.max_per_lcore' = \"many\": expected a whole number from 1024 to 268435456; \
         write for example 1048576",
        "t.toml:11: key 'flows.udp_timeout' = 60: expected a time from 1ms to 24h; write for example \"60s\"",
        "t.toml:14: key 'wire.tunnels[1]' = \"genev\": unknown; did you mean 'geneve'?",
        "t.toml:14: key 'wire.tunnels[2]' = 7: expected \"vxlan\", \"geneve\", \"gre\", \"erspan\", \"ipip\", \
         \"gtp\", \"vxlan-gpe\" or \"nsh\"",
        "t.toml:17: key 'protocols.enabled[1]' = \"http\": unknown; did you mean 'http1'?",
        "t.toml:18: key 'protocols.response_timeouts.redi' = \"1s\": unknown; did you mean 'redis'?",
        "t.toml:18: key 'protocols.response_timeouts.redis' = 3: expected a time from 10ms to 60m; \
         write for example \"30s\"",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn bounds_are_inclusive() {
    assert!(problems("[flows]\nmax_per_lcore = 1024\nsyn_timeout = \"1ms\"\n").is_empty());
    assert!(problem("[flows]\nmax_per_lcore = 1023\n").contains("= 1023: expected"));
    assert!(problem("[flows]\nmax_per_lcore = -1\n").contains("= -1: expected"));
    assert!(
        problem("[flows]\nmax_per_lcore = 99999999999999999999999\n").contains("expected a whole number")
    );
    assert!(problem("[records]\nring = \"64KiB\"\n").contains("expected a size from 1MiB to 4GiB"));
}

#[test]
fn numbers_may_be_written_as_toml_allows() {
    let config = Config::parse(
        "[flows]\nmax_per_lcore = 1_000_000\n[[ports]]\nvdev = \"net_null0\"\nmtu = 0x2328\n",
        "t",
        &[],
    );
    let config = config.unwrap();
    assert_eq!(config.flows.max_per_lcore.get(), 1_000_000);
    assert_eq!(config.ports[0].mtu.get(), 9000);
}

#[test]
fn a_port_is_either_of_the_two() {
    assert_eq!(
        problem("[[ports]]\nqueues = 2\n"),
        "t.toml:1: key 'ports[0]': expected a device; add pci = \"0000:01:00.0\" or vdev = \"net_…\""
    );
    assert_eq!(
        problem("[[ports]]\npci = \"3b:00.0\"\nvdev = \"net_null0\"\n"),
        "t.toml:3: key 'ports[0].vdev' = \"net_null0\": a port is either pci or vdev; remove one, or give it a \
         [[ports]] of its own"
    );
    let config = Config::parse(
        "[[ports]]\npci = \"3b:00.0\"\n[[ports]]\nvdev = \"net_null0\"\n",
        "t",
        &[],
    )
    .unwrap();
    assert!(matches!(config.ports[0].device, Device::Pci(pci) if pci.to_string() == "0000:3b:00.0"));
    assert!(matches!(&config.ports[1].device, Device::Vdev(vdev) if vdev.as_str() == "net_null0"));
}

#[test]
fn the_same_device_twice() {
    assert_eq!(
        problem("[[ports]]\npci = \"3b:00.0\"\n[[ports]]\npci = \"0000:3B:00.0\"\n"),
        "t.toml:4: key 'ports[1].pci' = \"0000:3B:00.0\": 0000:3b:00.0 is already a port; remove one"
    );
    let text = "[[ports]]\nvdev = \"net_null0,size=64\"\n[[ports]]\nvdev = \"net_null0,size=128\"\n";
    assert!(problem(text).ends_with("there is a device named net_null0 already; change its number"));
}

#[test]
fn one_core_for_two_purposes() {
    let twice = problem("[workers]\nlcores = [1, 2, 1]\n");
    assert!(
        twice.starts_with("t.toml:2: key 'workers.lcores' = [1, 2, 1]: expected cores, each once"),
        "{twice}"
    );
    assert_eq!(
        problem("[workers]\nlcores = \"1-3\"\ncollector_core = 2\n"),
        "t.toml:3: key 'workers.collector_core' = 2: this core is busy with packets; choose one that is neither in \
         lcores nor rx_lcore"
    );
    assert!(problem("[workers]\nlcores = \"1-3\"\nrx_lcore = 3\n").contains("this core is a worker's"));
}

#[test]
fn sinks_take_the_keys_of_their_type() {
    assert_eq!(
        problem("[[sinks]]\ntype = \"tcp\"\nlisten = \"127.0.0.1:9465\"\npath = \"/x\"\n"),
        "t.toml:4: key 'sinks[0].path' = \"/x\": has no meaning for type = \"tcp\"; remove it"
    );
    assert_eq!(
        problem("[[sinks]]\ntype = \"file\"\n"),
        "t.toml:1: key 'sinks[0]': type = \"file\" needs path; add path = \"/var/lib/tapir/sessions\""
    );
    assert!(
        problem("[[sinks]]\ntype = \"kafka\"\n")
            .contains("expected \"file\", \"unix\", \"tcp\", \"collector\" or \"stdout\"")
    );
    assert!(problem("[[sinks]]\npath = \"/x\"\n").contains("expected a type; add type = "));
    assert!(
        problem("[[sinks]]\ntype = \"file\"\npath = \"/x\"\nkeep_files = 3\n").contains("add rotate_bytes")
    );
    let same =
        "[[sinks]]\ntype = \"tcp\"\nlisten = \"127.0.0.1:9464\"\n[metrics]\nlisten = \"127.0.0.1:9464\"\n";
    assert!(problem(same).contains("is also metrics.listen"));
}

#[test]
fn tunnel_ports_are_told_apart() {
    assert_eq!(
        problem("[wire]\ngeneve_ports = [4789]\n"),
        "t.toml:2: key 'wire.geneve_ports' = [4789]: port 4789 is also in wire.vxlan_ports; remove it from one"
    );
}

#[test]
fn a_protocol_both_ways() {
    let text = "[protocols]\nenabled = [\"dns\"]\ndisabled = [\"dns\"]\n";
    assert!(problem(text).ends_with("'dns' is both enabled and disabled; remove it from one"));
}

#[test]
fn sections_of_the_wrong_kind() {
    assert!(problem("flows = 3\n").ends_with("expected a section; write [flows] on a line of its own"));
    assert!(problem("[ports]\nqueues = 1\n").ends_with("write [[ports]] with two brackets"));
    assert!(problem("ports = [1]\n").contains("expected a table; write [[ports]]"));
    assert!(problem("[[flows]]\nudp_timeout = \"1s\"\n").contains("write [flows]"));
}

#[test]
fn broken_toml_is_told_with_the_rest() {
    let problems = problems("[flows]\nmax_per_lcore =\n[log]\nlevel = \"loud\"\n");
    assert!(
        problems[0].starts_with("t.toml:2: not valid TOML: "),
        "{problems:#?}"
    );
    assert!(
        problems[1].starts_with("t.toml:4: key 'log.level' = \"loud\": "),
        "{problems:#?}"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let missing = Config::load("no/such/file.toml".as_ref(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("no/such/file.toml: the configuration can't be read: "),
        "{missing}"
    );
}

#[test]
fn no_text_is_too_odd_to_read() {
    // Cuts and damages a valid file everywhere: whatever is left has to be read or refused, no more.
    let example = tapir_config::example();
    for end in (0..example.len()).step_by(31) {
        let _ = problems(&example[..end]);
        let damaged: String = (example.char_indices())
            .map(|(index, c)| if index % 97 == end % 97 { '"' } else { c })
            .collect();
        let _ = problems(&damaged);
    }
}

#[test]
fn sidecars_connect_to_a_socket_of_one_kind() {
    assert_eq!(
        problem("[[sidecars]]\nsidecars_max = 3\n"),
        "t.toml:1: key 'sidecars[0]': expected a socket; add path = \"/run/tapir/sidecars.sock\" or \
         listen = \"0.0.0.0:9466\""
    );
    assert_eq!(
        problem("[[sidecars]]\npath = \"/a\"\nlisten = \"0.0.0.0:1\"\n"),
        "t.toml:3: key 'sidecars[0].listen' = \"0.0.0.0:1\": a socket is either path or listen; remove one, or \
         give it a [[sidecars]] of its own"
    );
    assert_eq!(
        problem("[[sidecars]]\npath = \"/a\"\nkey = \"/k\"\n"),
        "t.toml:3: key 'sidecars[0].key' = \"/k\": has no meaning for a Unix socket; remove it"
    );
    assert_eq!(
        problems("[[sidecars]]\nlisten = \"0.0.0.0:9466\"\nkey = \"/k\"\n"),
        [
            "t.toml:1: key 'sidecars[0]': listen needs certificate; add certificate = \"/etc/tapir/certificate.pem\"",
            "t.toml:1: key 'sidecars[0]': listen needs ca; add ca = \"/etc/tapir/ca.pem\""
        ]
    );
    assert_eq!(
        problem("[[sidecars]]\npath = \"/a\"\n[[sidecars]]\npath = \"/a\"\n"),
        "t.toml:4: key 'sidecars[1].path' = \"/a\": /a is also another listener's; change one"
    );
    assert_eq!(
        problem("[[sinks]]\ntype = \"unix\"\npath = \"/a\"\n[[sidecars]]\npath = \"/a\"\n"),
        "t.toml:5: key 'sidecars[0].path' = \"/a\": /a is also a sink's; change one"
    );
    assert!(problem("[join]\nwait = \"2h\"\n").contains("expected a time from 10ms to 60s"));
}

#[test]
fn a_sink_to_a_collector_connects_in_one_way() {
    assert_eq!(
        problem("[[sinks]]\ntype = \"collector\"\n"),
        "t.toml:1: key 'sinks[0]': type = \"collector\" needs path; add path = \"/run/tapir/sidecars.sock\""
    );
    assert_eq!(
        problem("[[sinks]]\ntype = \"collector\"\npath = \"/a\"\nformat = \"json\"\n"),
        "t.toml:4: key 'sinks[0].format' = \"json\": a collector reads \"flatbuffers\" only; remove it"
    );
    assert_eq!(
        problem("[[sinks]]\ntype = \"file\"\npath = \"/a\"\nca = \"/c\"\n"),
        "t.toml:4: key 'sinks[0].ca' = \"/c\": has no meaning for type = \"file\"; remove it"
    );
    let files = "certificate = \"/c\"\nkey = \"/k\"\nca = \"/a\"\n";
    assert_eq!(
        problem(&format!(
            "[[sinks]]\ntype = \"collector\"\nconnect = \"far\"\n{files}"
        )),
        "t.toml:3: key 'sinks[0].connect' = \"far\": expected a host and a port; write for example \
         \"collector.example:9466\""
    );
    for host in ["collector.lan:9466", "192.0.2.1:1", "[2001:db8::1]:65535"] {
        let text = format!("[[sinks]]\ntype = \"collector\"\nconnect = \"{host}\"\n{files}");
        assert_eq!(problems(&text), [""; 0]);
    }
    for host in ["collector.lan", ":1", "a:0", "a:70000", "2001:db8::1:1", "[a]:1"] {
        let text = format!("[[sinks]]\ntype = \"collector\"\nconnect = \"{host}\"\n{files}");
        assert_eq!(problems(&text).len(), 1, "{host}");
    }
}
