//! From the configuration to what the crates below are set up with.

use crate::commands::config;
use crate::failure::Failure;
use std::path::Path;
use std::sync::Arc;
use tapir_config::{Config, TunnelName, UdpPort};
use tapir_dataplane::flow::Timeouts;
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_parsers::l7::{DECLARATIONS, Protocol};
use tapir_parsers::plugin::PluginHost;
use tapir_parsers::settings::{Redaction, Settings};
use tapir_parsers::wire::{DecodeOptions, ReassemblyLimits, TooManyPorts, TunnelKind};

/// What each worker's pipeline is set up with by the configuration at `path`, or by the defaults; only
/// for the protocols in `only`, unless it is empty.
pub(crate) fn pipeline_from(path: Option<&Path>, only: &[Protocol]) -> Result<PipelineOptions, Failure> {
    let config = path.map(config::load).transpose()?.unwrap_or_default();
    let mut options = pipeline(&config)?;
    options.plugins = replayed_plugins(&config)?;
    if !only.is_empty() {
        options.protocols = only.to_vec();
    }
    Ok(options)
}

/// The plugins of a replay, with as much time as they take.
#[cfg(feature = "plugins")]
fn replayed_plugins(config: &Config) -> Result<Option<Arc<dyn PluginHost>>, Failure> {
    let host = crate::plugins::host_for_replay(config)?;
    Ok(host.map(|host| host as _))
}

/// A build without plugins reads none.
#[cfg(not(feature = "plugins"))]
fn replayed_plugins(config: &Config) -> Result<Option<Arc<dyn PluginHost>>, Failure> {
    without_plugins(config).map(|()| None)
}

/// Whether the configuration has no plugins, which this build can't run.
#[cfg(not(feature = "plugins"))]
pub(crate) fn without_plugins(config: &Config) -> Result<(), Failure> {
    match config.plugins.first() {
        None => Ok(()),
        Some(plugin) => Err(Failure::Operation(format!(
            "plugin {}: this tapir was built without plugins; build it with the feature 'plugins'",
            plugin.name
        ))),
    }
}

/// What each worker's pipeline is set up with, but for plugins.
pub(crate) fn pipeline(config: &Config) -> Result<PipelineOptions, Failure> {
    let flows = &config.flows;
    let by_state = [
        flows.syn_timeout,
        flows.established_timeout,
        flows.closing_timeout,
        flows.udp_timeout,
        flows.icmp_timeout,
    ];
    let enabled = DECLARATIONS
        .iter()
        .filter(|declaration| config.protocols.reads(declaration.name));
    Ok(PipelineOptions {
        decode: decode(config).map_err(|e| Failure::operation("wire", e))?,
        flows_max: flows.max_per_lcore.as_usize(),
        timeouts: Timeouts {
            by_state: by_state.map(|timeout| timeout.as_ns()),
        },
        vlan_in_key: config.wire.vlan_in_flow_key,
        tunnel_in_key: config.wire.tunnel_in_flow_key,
        held_bytes_per_flow: u32::try_from(config.tcp.held_bytes_per_flow.get()).unwrap_or(u32::MAX),
        held_segments: config.tcp.held_segments_per_lcore.as_usize(),
        reassembly: ReassemblyLimits {
            datagrams: config.wire.fragment_datagrams.as_usize(),
            bytes: config.wire.fragment_bytes.as_usize(),
            timeout_ns: config.wire.fragment_timeout.as_ns(),
        },
        acked_hole_grace_ns: config.tcp.gap_grace.as_ns(),
        hole_timeout_ns: config.tcp.gap_timeout.as_ns(),
        settings: settings(config),
        protocols: enabled.map(|declaration| declaration.protocol).collect(),
        ..PipelineOptions::default()
    })
}

fn decode(config: &Config) -> Result<DecodeOptions, TooManyPorts> {
    let wire = &config.wire;
    let kinds: Vec<_> = wire.tunnels.iter().map(|name| kind(*name)).collect();
    let numbers = |ports: &[UdpPort]| ports.iter().map(|port| port.get() as u16).collect::<Vec<_>>();
    DecodeOptions::default()
        .with_tunnels(&kinds)
        .with_tunnel_depth_max(wire.tunnel_depth_max.get() as u8)
        .with_verified_checksums(wire.verify_checksums)
        .with_udp_ports(TunnelKind::Vxlan, &numbers(&wire.vxlan_ports))?
        .with_udp_ports(TunnelKind::Geneve, &numbers(&wire.geneve_ports))?
        .with_udp_ports(TunnelKind::Gtp, &numbers(&wire.gtp_ports))?
        .with_udp_ports(TunnelKind::VxlanGpe, &numbers(&wire.vxlan_gpe_ports))
}

fn kind(name: TunnelName) -> TunnelKind {
    match name {
        TunnelName::Vxlan => TunnelKind::Vxlan,
        TunnelName::Geneve => TunnelKind::Geneve,
        TunnelName::Gre => TunnelKind::Gre,
        TunnelName::Erspan => TunnelKind::Erspan,
        TunnelName::Ipip => TunnelKind::Ipip,
        TunnelName::Gtp => TunnelKind::Gtp,
        TunnelName::VxlanGpe => TunnelKind::VxlanGpe,
        TunnelName::Nsh => TunnelKind::Nsh,
    }
}

fn settings(config: &Config) -> Settings {
    let redaction = &config.redaction;
    // Names were checked when the configuration was read.
    let timeouts = (config.protocols.response_timeouts.iter())
        .filter_map(|(name, timeout)| Some((Protocol::from_name(name)?, timeout.as_ns())));
    Settings {
        redaction: Redaction {
            sql_literals: redaction.sql_literals,
            redis_values: redaction.redis_values,
            url_query: redaction.url_query,
            http_headers: redaction.http_headers,
        },
        path_segments: config.protocols.path_segments.as_usize(),
        resource_bytes_max: config.records.resource_bytes.as_usize(),
        text_bytes_max: config.records.text_bytes.as_usize(),
        keepalive_records: config.protocols.keepalive_records,
        grpc_stream_records: config.protocols.grpc_stream_records,
        response_timeouts_ns: timeouts.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_same_above_and_below() {
        // The order in which tunnel ports were given makes no difference to the decoder.
        let shown = |mut options: PipelineOptions| {
            options.decode = DecodeOptions::default();
            format!("{options:#?}")
        };
        assert_eq!(
            shown(pipeline(&Config::default()).unwrap()),
            shown(PipelineOptions::default())
        );
    }

    #[test]
    fn timeouts_and_fragments_reach_the_workers() {
        let text = "[wire]\nfragment_datagrams = 9\n[protocols]\nresponse_timeouts = { ping = \"3s\" }\n";
        let options = pipeline(&Config::parse(text, "", &["ping"]).unwrap()).unwrap();
        let timeout_ns = |name| {
            options
                .settings
                .response_timeout_ns(Protocol::from_name(name).unwrap())
        };
        assert_eq!(options.reassembly.datagrams, 9);
        assert_eq!(timeout_ns("ping"), 3_000_000_000);
        assert_eq!(
            timeout_ns("dns"),
            Protocol::from_name("dns")
                .unwrap()
                .declaration()
                .response_timeout_ns
        );
    }

    #[test]
    fn every_tunnel_has_its_name() {
        let named: Vec<_> = TunnelName::ALL.iter().map(|name| kind(*name)).collect();
        assert_eq!(named, TunnelKind::ALL);
        for name in TunnelName::ALL {
            assert_eq!(kind(*name).name(), name.name());
        }
    }

    #[test]
    fn protocols_are_chosen() {
        let mut config = Config::default();
        config.protocols.disabled = vec![tapir_config::ProtocolName::new("ping")];
        let options = pipeline(&config).unwrap();
        assert!(options.protocols.iter().all(|protocol| protocol.name() != "ping"));
        assert_eq!(options.protocols.len(), DECLARATIONS.len() - 1);
    }
}
