//! Plugins that are exchanged while an lcore uses them.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{DEMO, REQUEST, demo, host_of, plugin, spec};
use tapir_parsers::engine::Ends;
use tapir_parsers::parser::Direction;
use tapir_parsers::plugin::{Call, Hook, PluginHost};
use tapir_parsers::record::FlowFacts;
use tapir_plugins::{L4, PluginSpec};

#[test]
fn an_lcore_goes_on_with_its_plugins_until_it_takes_the_new_ones_over() {
    let facts = FlowFacts {
        server_port: 7700,
        ..FlowFacts::default()
    };
    let ends = Ends::of(&facts);
    let message = demo(1, 1, "question");
    let call = Call {
        facts: &facts,
        direction: Direction::ToServer,
        time_ns: 1,
        payload: &message,
    };
    let host = host_of(&[(spec("demo"), DEMO)]);
    let mut plugins = host.for_lcore();
    let wanted = plugins.wanted().unwrap();
    assert!(wanted.checks(ends) && !wanted.enriches(Hook::HttpRequest, ends));
    assert!(plugins.wanted().is_none(), "nothing has changed");

    let udp = PluginSpec {
        ports: vec![7700],
        l4: L4::Udp,
        ..spec("enriching")
    };
    let module = wat::parse_str(plugin(REQUEST, "")).unwrap();
    assert!(host.load_modules(&[(udp, module)]).is_empty());
    assert!(plugins.check(&call).is_some(), "not taken over yet");
    let wanted = plugins.wanted().unwrap();
    assert!(plugins.check(&call).is_none());
    assert!(!wanted.any(ends));
    let over_udp = Ends { l4: 1, ..ends };
    assert!(wanted.enriches(Hook::HttpRequest, over_udp) && !wanted.checks(over_udp));
    assert!(!wanted.enriches(Hook::HttpResponse, over_udp));

    assert!(host.load(&[]).is_empty());
    assert!(!plugins.wanted().unwrap().any(over_udp));
}
