//! Merges what plugins tell into the messages of a flow.

use super::{Call, Event, Hook, Info, Parsed, l7};
use crate::conversation::{Out, Role};
use crate::engine::Ends;
use crate::field::Field;
use crate::l7::http::method;
use crate::parser::Direction;
use std::fmt::Write;

/// Attributes for what plugins tell that records have no key for.
mod attr {
    pub(super) const PROTOCOL: &str = "protocol";
    pub(super) const TRACE_IDS: &str = "trace_ids";
    pub(super) const PARENT_SPAN_ID: &str = "parent_span_id";
    pub(super) const IS_ASYNC: &str = "is_async";
    pub(super) const IS_REVERSED: &str = "is_reversed";
    pub(super) const BIZ_TYPE: &str = "biz_type";
    pub(super) const BIZ_CODE: &str = "biz_code";
    pub(super) const BIZ_SCENARIO: &str = "biz_scenario";
    pub(super) const BIZ_RESPONSE_CODE: &str = "biz_response_code";
}

impl Out<'_> {
    /// Bytes that a plugin may be given at once; `None` where no plugin has to do with the flow.
    pub fn plugin_payload_bytes(&self) -> Option<usize> {
        Some(self.plugins.as_ref()?.plugins.payload_bytes_max())
    }

    /// Bytes of a message that plugins want to see before `hook`; 0 where none wants it.
    #[inline]
    pub fn enriching_bytes(&self, hook: Hook) -> usize {
        match &self.plugins {
            Some(plugged) if plugged.wanted().enriches(hook, Ends::of(self.talk.facts)) => {
                plugged.plugins.payload_bytes_max()
            }
            _ => 0,
        }
    }

    /// Lets plugins read `payload` of the protocol that one of them claimed as `number` and `name`. Every
    /// record that they make of it becomes a message.
    pub(crate) fn plugin_parse(&mut self, number: u8, name: &[u8], payload: &[u8]) -> Parsed {
        let Some(plugged) = self.plugins.take() else {
            return Parsed::Passed;
        };
        let call = self.call(payload);
        let parsed = (plugged.plugins).parse(&call, number, &mut |info| self.tell(info, name));
        self.plugins = Some(plugged);
        parsed
    }

    /// Shows the selected message to plugins, with the input at hand for its payload. What they tell counts more than what the parser writes
    /// afterwards: this comes before it.
    #[inline]
    pub fn enrich(&mut self, event: &Event<'_>) {
        if let Some(plugged) = &self.plugins
            && plugged.wanted().enriches(event.hook(), Ends::of(self.talk.facts))
        {
            self.enrich_wanted(event);
        }
    }

    #[cold]
    fn enrich_wanted(&mut self, event: &Event<'_>) {
        let Some(plugged) = self.plugins.take() else {
            return;
        };
        let payload = self.input;
        let max = plugged.plugins.payload_bytes_max().min(payload.len());
        let call = self.call(payload.get(..max).unwrap_or(payload));
        plugged.plugins.enrich(&call, event, &mut |info| {
            match event {
                Event::Message { protocol, .. } => self.merge_message(*protocol, info),
                _ => self.merge_http(info),
            }
            self.write_info(info);
        });
        self.plugins = Some(plugged);
    }

    fn call<'p>(&self, payload: &'p [u8]) -> Call<'p>
    where
        Self: 'p,
    {
        Call {
            facts: self.talk.facts,
            direction: self.moment.direction,
            time_ns: self.moment.now_ns,
            payload,
        }
    }

    /// A record of a plugin's own protocol.
    fn tell(&mut self, info: &Info<'_>, name: &[u8]) {
        let role = match self.moment.direction {
            Direction::ToServer => Role::Request,
            Direction::ToClient => Role::Response,
        };
        let id = info.request_id.map(u64::from);
        if id.is_none() && self.is_untouched() {
            self.pair_in_order();
        }
        let goes_on = info.is_end.is_some() && self.is_open(role, id);
        if !goes_on {
            self.open(role, id);
            if role == Role::Request || !self.has_request() {
                self.text(Field::Proto, name);
            }
        }
        self.write_info(info);
        for (field, text) in [
            (Field::Version, info.version),
            (Field::ReqType, info.req_type),
            (Field::Domain, info.domain),
            (Field::Resource, info.resource),
            (Field::Endpoint, info.endpoint),
        ] {
            if role == Role::Request || !text.is_empty() {
                self.text(field, text);
            }
        }
        self.outcome(info);
        let len = match role {
            Role::Request => info.req_len,
            _ => info.resp_len,
        };
        if let Some(len) = len {
            self.add_len(u64::from(len));
        }
        if info.is_end != Some(false) {
            self.close();
        }
    }

    /// What a plugin adds to a message of the HTTP family.
    fn merge_http(&mut self, info: &Info<'_>) {
        if self.moment.direction == Direction::ToServer {
            if matches!(info.version, b"1.0" | b"1.1" | b"2") {
                self.text(Field::Version, info.version);
            }
            if method::is_known(info.req_type) {
                self.text(Field::ReqType, info.req_type);
            }
            self.text(Field::Domain, info.domain);
            self.text(Field::Resource, info.resource);
            self.text(Field::Endpoint, info.endpoint);
            if let Some(id) = info.request_id {
                self.number(u64::from(id));
            }
        } else {
            self.outcome(info);
        }
    }

    /// What a plugin adds to a message of another protocol: calls have a method, a service and an outcome.
    fn merge_message(&mut self, protocol: u8, info: &Info<'_>) {
        self.attr(attr::PROTOCOL, info.protocol);
        if matches!(protocol, l7::DUBBO | l7::ROCKETMQ) {
            self.text(Field::ReqType, info.req_type);
            self.text(Field::Domain, info.domain);
            self.outcome(info);
        }
    }

    fn outcome(&mut self, info: &Info<'_>) {
        self.text(Field::Exception, info.exception);
        self.text(Field::Result, info.result);
        if let Some(status) = info.status {
            self.settle_outcome(info.code.map(i64::from), status);
        }
    }

    /// What stands in every message.
    fn write_info(&mut self, info: &Info<'_>) {
        if let Some(first) = info.trace_ids.first() {
            self.text(Field::TraceId, first);
        }
        if info.trace_ids.len() > 1 {
            let mut text = self.write_attr(attr::TRACE_IDS);
            for (i, id) in info.trace_ids.iter().enumerate() {
                text.push(if i > 0 { b"," } else { b"" });
                text.push(id);
            }
        }
        self.text(Field::SpanId, info.span_id);
        self.text(Field::XRequestId, info.x_request_id);
        self.text(Field::ForwardedFor, info.client_ip);
        for (key, value) in &info.attrs {
            // Keys were checked where the record was read.
            if let Ok(key) = std::str::from_utf8(key) {
                self.attr(key, value);
            }
        }
        self.attr(attr::PARENT_SPAN_ID, info.parent_span_id);
        self.attr(attr::BIZ_CODE, info.biz_code);
        self.attr(attr::BIZ_SCENARIO, info.biz_scenario);
        self.attr(attr::BIZ_RESPONSE_CODE, info.biz_response_code);
        if info.biz_type > 0 {
            let mut digits = arrayvec::ArrayString::<3>::new();
            let _ = write!(digits, "{}", info.biz_type);
            self.attr(attr::BIZ_TYPE, digits.as_bytes());
        }
        for (key, is) in [
            (attr::IS_ASYNC, info.is_async),
            (attr::IS_REVERSED, info.is_reversed),
        ] {
            if is == Some(true) {
                self.attr(key, b"true");
            }
        }
        if info.cut {
            self.truncated();
        }
    }
}
