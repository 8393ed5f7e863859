//! Every bound that traffic can press against, in one place, with its reason.

/// Longest message head that is put together from several segments, bytes. Apache and nginx refuse
/// request heads above 8 KiB a line; a MySQL or Redis head is far shorter, and a 16 KiB TLS record is
/// the longest unit that must be seen whole.
pub const STITCH_BYTES_MAX: usize = 20 * 1024;

/// Bytes of one direction that inference may look at before it gives up.
pub const PROBE_BYTES_MAX: usize = 512;

/// Payloads of each direction of a flow that are probed before the direction is `unknown` and costs nothing
/// more.
pub const PROBE_TRIES_MAX: u8 = 6;

/// Units a parser may finish without consuming a byte, in a row: state changes, never a loop.
pub const IDLE_ADVANCES_MAX: u32 = 4;

/// Broken messages of a flow before it is given back to inference, where the protocol was confirmed.
pub const MALFORMED_MAX: u8 = 8;

/// Tail of a segment kept while a message start is looked for, bytes: longer than any head's mark.
pub const RESYNC_TAIL_BYTES: usize = 64;

/// Requests of one flow that wait for their responses. Redis clients pipeline by the thousand, but
/// memory per flow must stay within a few hundred KiB.
pub const PENDING_PER_FLOW_MAX: usize = 2048;

/// Requests of one lcore that wait for their responses.
pub const PENDING_PER_LCORE_MAX: usize = 1 << 20;

/// Bytes of text that one message may put into a record.
pub const MESSAGE_TEXT_BYTES_MAX: usize = 16 * 1024;

/// How long a request waits for its response unless the protocol says otherwise, ns.
pub const RESPONSE_TIMEOUT_NS: u64 = 60_000_000_000;

/// How long a response that arrived before its request (two mirror ports) waits for it, ns.
pub const EARLY_RESPONSE_NS: u64 = 100_000_000;

/// How long an exchange that its client gave up waits for what the server had sent by then, ns: longer
/// than any round trip.
pub const GIVEN_UP_NS: u64 = 1_000_000_000;

/// Responses of one flow that wait for their requests.
pub const EARLY_RESPONSES_PER_FLOW_MAX: usize = 64;

/// Flows of one lcore that have a parser, or are on the way to one.
pub const SESSIONS_PER_LCORE_MAX: usize = 4 << 20;

/// Sweeps in which all sessions are looked at once for overdue requests, unless there are more than sweeps may look
/// at: timeouts are seconds, and a session that is looked at is a cache miss. With a sweep every 5 ms a request is
/// found overdue half a second late at most.
pub const SWEEPS_PER_ROUND: usize = 100;

/// Sessions that a sweep looks at although a round would take fewer.
pub const SESSIONS_PER_SWEEP_MIN: usize = 64;

/// Message heads of one lcore that are being put together at once. Times the longest head this is
/// what stitching may hold: 1.25 GiB in the worst case, a few hundred bytes each in practice.
pub const STITCH_BUFFERS_MAX: usize = 1 << 16;

/// Server addresses whose protocol an lcore remembers.
pub const SERVER_CACHE_ENTRIES: usize = 4096;

/// How long a server's protocol is remembered, ns.
pub const SERVER_CACHE_TTL_NS: u64 = 60_000_000_000;

/// VLAN ids kept of one packet, tunnels included. Provider bridging uses two (IEEE 802.1ad); a
/// mirrored QinQ frame inside a QinQ transport has four.
pub const VLAN_DEPTH_MAX: usize = 4;

/// MPLS labels walked in one stack. Segment routing pushes about ten (RFC 8491 speaks of the maximum
/// SID depth of real hardware); more is a forged stack.
pub const MPLS_LABELS_MAX: usize = 16;

/// IPv6 extension headers walked in one packet. RFC 8200 section 4.1 names seven that may appear
/// once each, destination options twice.
pub const IPV6_EXTENSIONS_MAX: usize = 8;

/// Tunnels removed from one packet unless configured otherwise: mirrored (ERSPAN) overlay (VXLAN)
/// traffic that carries IP in IP is three.
pub const TUNNEL_DEPTH_DEFAULT: u8 = 4;

/// Highest number of tunnels that may be configured: work per packet must stay bounded.
pub const TUNNEL_DEPTH_MAX: u8 = 8;

/// Layers walked in one packet. A tunnel adds at most six (Ethernet, tags, MPLS, IP, transport, the
/// tunnel itself); what is left over is for pseudowires in pseudowires.
pub const LAYERS_MAX: usize = 64;

/// UDP ports that can be configured for tunnels, all kinds together: what fits two cache lines.
pub const TUNNEL_PORTS_MAX: usize = 16;

/// Entries of GRE source routing walked (RFC 1701); nobody routes this way any more.
pub const GRE_ROUTES_MAX: usize = 8;

/// GTP-U extension headers walked: 3GPP TS 29.281 section 5.2 defines fewer than ten, of which user
/// data carries one or two.
pub const GTP_EXTENSIONS_MAX: usize = 8;

/// IP datagrams of one lcore that wait for fragments at once. Fragments of one datagram come
/// microseconds apart, so what waits longer has lost one: 200 lost fragments a second fill this in the
/// time that they are waited for.
pub const FRAGMENT_DATAGRAMS_MAX: usize = 1024;

/// Bytes of waiting fragments of one lcore: every waiting datagram may hold two full Ethernet frames,
/// and sixty-four of them the longest datagram there is.
pub const FRAGMENT_BYTES_MAX: usize = 4 << 20;

/// Fragments of one datagram. The longest datagram needs 119 of them at 576 bytes, the smallest packet
/// size that every IPv4 host takes; what comes in more pieces wants to wear the receiver out.
pub const FRAGMENTS_PER_DATAGRAM_MAX: usize = 128;

/// Headers in front of a fragment that are kept, bytes: IPv4 has 60 at most, and IPv6 in practice its
/// 40, hop-by-hop options and a routing header.
pub const FRAGMENT_HEADER_BYTES_MAX: usize = 256;

/// How long a datagram waits for its fragments, ns. Hosts wait 30 to 60 s (RFC 1122 section 3.3.2,
/// RFC 8200 section 4.5), but the 16-bit identification of a fast IPv4 sender comes round within
/// seconds, and then fragments of different datagrams fit together (RFC 4963).
pub const FRAGMENT_TIMEOUT_NS: u64 = 5_000_000_000;

/// Datagrams that one fragment may complete inside each other: fragments of a tunnel that carries
/// fragments.
pub const FRAGMENT_NESTING_MAX: usize = TUNNEL_DEPTH_MAX as usize + 1;

/// Bytes of a SQL text that are looked at: beyond the longest `resource`, so that the table behind a long
/// list of columns is found, and far enough below the stitching limit.
pub const SQL_HEAD_BYTES_MAX: usize = 8 * 1024;

/// How long a SQL request waits for its answer, ns. Reports, schema changes and dumps run for minutes
/// before they say a word; few run for longer without anybody looking.
pub const SQL_RESPONSE_TIMEOUT_NS: u64 = 600_000_000_000;

/// Prepared statements of one flow whose text is kept. Connection pools keep 25 to 256 a connection.
pub const STATEMENTS_PER_FLOW_MAX: usize = 256;

/// Text of prepared statements kept for one flow, bytes.
pub const STATEMENT_BYTES_PER_FLOW_MAX: usize = 128 * 1024;

/// Longest database name kept for a flow, bytes: MySQL and PostgreSQL allow 64 characters.
pub const DATABASE_BYTES_MAX: usize = 256;

/// Inflaters of one lcore that are in the middle of a compressed packet at once, 43 KiB each. One is
/// needed only from a packet's first segment to its last.
pub const INFLATERS_MAX: usize = 1024;

/// Plain bytes that a compressed packet may give in any case. Beyond, its ratio decides.
pub const INFLATED_BYTES_FREE: u64 = 64 * 1024;

/// Plain bytes that a compressed packet may give for each of its own. Rows compress 5 to 30 times; zlib
/// reaches 1032 on bytes that are all the same, which nobody needs to see.
pub const INFLATED_RATIO_MAX: u64 = 64;

/// Longest compressed packet whose method needs all of it at once (zstd), bytes; of a compressed MongoDB
/// message as much is looked at.
pub const COMPRESSED_WHOLE_BYTES_MAX: usize = 16 * 1024;

/// Host and path that an HTTP upgrade passes on to the protocol it ends in, bytes each: kept for the
/// lifetime of the connection, so shorter than what one record may carry.
pub const UPGRADE_TEXT_BYTES_MAX: usize = 1024;

/// Bytes of a WebSocket frame that are unmasked at once for the protocol within: most messages, and little
/// of a long one whose payload is passed.
pub const UNMASK_BYTES: usize = 2048;

/// Longest HTTP status line that a response is found by after a gap, bytes: reasons are a few words, and
/// without a bound a search would cost the square of its input.
pub const STATUS_LINE_BYTES_MAX: usize = 256;

/// Longest HTTP header value that goes over several lines, put on one, bytes: as much as a text field
/// keeps by default. Senders have been told not to for ten years, so it is not worth more.
pub const FOLDED_VALUE_BYTES_MAX: usize = 1024;

/// Longest HTTP request method, bytes: those of the registry end at 17.
pub const METHOD_BYTES_MAX: usize = 32;

/// Bytes of a gRPC-Web body, or of one chunk of it, in which the outcome of the call is looked for. Trailers
/// are a few hundred bytes; a longer body is passed as any other.
pub const GRPC_WEB_TRAILERS_BYTES_MAX: usize = 4096;

/// Size of a dynamic table of HTTP/2 until its sender says otherwise (RFC 9113 section 6.5.2), as HPACK
/// counts: bytes of text and 32 for each field.
pub const HPACK_TABLE_BYTES_DEFAULT: u32 = 4096;

/// Largest dynamic table of HTTP/2 that is followed, as HPACK counts. Browsers offer 64 KiB, servers 4; of
/// a larger one the older fields are unknown.
pub const HPACK_TABLE_BYTES_MAX: u32 = 64 * 1024;

/// Cipher suites of a ClientHello that a JA4 sorts. Clients offer up to about 120; the registry has 350.
pub const TLS_CIPHER_SUITES_MAX: usize = 512;

/// Extensions of a ClientHello that a JA4 sorts. Clients send up to about 25; the registry has 60.
pub const TLS_EXTENSIONS_MAX: usize = 128;

/// TLS records of a flow that are passed in the wait for a hello, early data included, or for the end of
/// what is in the clear. A handshake with client certificates has ten.
pub const TLS_PLAIN_RECORDS_MAX: u8 = 64;

/// Bytes of a flow searched for a hello that was lost. The other side's flight follows within a few
/// KiB, or the hello was in the gap.
pub const TLS_SEARCH_BYTES_MAX: u32 = 64 * 1024;

/// Bytes of a Redis command that are read; the rest is passed. Holds a `resource` of the default limit
/// even where every second argument is empty.
pub const REDIS_COMMAND_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a Redis status, error or MONITOR line that are read; the rest is passed.
pub const REDIS_LINE_BYTES_MAX: usize = 4096;

/// Bytes of a bulk error's text that are read.
pub const REDIS_ERROR_BYTES_MAX: usize = 1024;

/// Bytes of a channel's name that are read.
pub const REDIS_CHANNEL_BYTES_MAX: usize = 1024;

/// Elements and bytes that a Redis length may count: beyond 512 MiB, the server's own default limit, by
/// far, and small enough that sums of them don't overflow.
pub const REDIS_ELEMENTS_MAX: u64 = 1 << 40;

/// Streamed aggregates within each other. No server sends any; the specification has them.
pub const REDIS_STREAMED_DEPTH_MAX: usize = 4;

const _: () = assert!(REDIS_COMMAND_HEAD_BYTES_MAX <= STITCH_BYTES_MAX);

/// Longest MongoDB message, bytes: what every server says it takes (`maxMessageSizeBytes`).
pub const MONGODB_MESSAGE_BYTES_MAX: u32 = 48_000_000;

/// How long a MongoDB command waits for its answer, ns. Builds of indexes and aggregations run for minutes
/// before they say a word; monitors wait ten seconds for a change by design.
pub const MONGODB_RESPONSE_TIMEOUT_NS: u64 = 600_000_000_000;

/// Bytes of an MQTT packet that are read; the rest is passed. Topics, filters and properties are a few
/// hundred bytes; payloads and certificates of logins may have 256 MiB.
pub const MQTT_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Longest MQTT client id kept for a connection, bytes. Brokers must take 23 (section 3.1.3.1) and hardly
/// ever see 100.
pub const MQTT_CLIENT_ID_BYTES_MAX: usize = 1024;

/// Topic aliases of one direction that are kept. Brokers grant 5 to 32 unless told otherwise.
pub const MQTT_TOPIC_ALIASES_MAX: usize = 256;

/// Bytes of the topics that the aliases of one direction stand for.
pub const MQTT_ALIAS_TOPICS_BYTES_MAX: usize = 16 * 1024;

const _: () = assert!(MQTT_HEAD_BYTES_MAX <= STITCH_BYTES_MAX);

/// Bytes of a DNS message over TCP that are read; the rest is passed. Answers that clients use are far
/// shorter, and what lies behind would not fit into `result`.
pub const DNS_MESSAGE_HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long a DNS query waits, ns. Resolvers ask again after 1 to 5 s with a new id and give up after some
/// tries; what comes later is wanted by nobody.
pub const DNS_RESPONSE_TIMEOUT_NS: u64 = 15_000_000_000;

/// Longest Kafka message, bytes: brokers refuse requests above 100 MiB unless told otherwise
/// (`socket.request.max.bytes`), and clients ask for 50 MiB at most.
pub const KAFKA_MESSAGE_BYTES_MAX: u32 = 128 << 20;

/// Bytes of a Kafka text that are read; the rest is passed. Names of topics end at 249.
pub const KAFKA_TEXT_BYTES_MAX: usize = 4096;

/// Names of topics of one Kafka request, comma joined, bytes: twice what `resource` holds by default.
pub const KAFKA_TOPICS_BYTES_MAX: usize = 8 * 1024;

/// Topics of one Kafka connection whose names are kept by their ids, 266 bytes each: consumers of more topics
/// than this are rare, and see ids in place of names.
pub const KAFKA_TOPIC_IDS_MAX: usize = 64;

/// Headers of a Kafka record that are looked at. Tracing adds one to five to those of the application.
pub const KAFKA_HEADERS_MAX: u32 = 64;

/// Longest name and value of a Kafka record's header that are read, bytes each: beyond any trace.
pub const KAFKA_HEADER_BYTES_MAX: usize = 4096;

/// Requests of one Kafka connection by which responses are found after a gap. Clients have five under way (Java) or
/// one; of more, the later ones will do.
pub const KAFKA_UNDER_WAY_MAX: usize = 16;

/// How long a Kafka request waits for its response, ns. JoinGroup waits until all members have joined, five
/// minutes where consumers keep the default (`max.poll.interval.ms`).
pub const KAFKA_RESPONSE_TIMEOUT_NS: u64 = 330_000_000_000;

const _: () = assert!(2 * KAFKA_HEADER_BYTES_MAX + 10 <= STITCH_BYTES_MAX);
const _: () = assert!(2 * KAFKA_TEXT_BYTES_MAX + 64 <= STITCH_BYTES_MAX);
/// Longest name of a protocol that a plugin brings, bytes: DeepFlow's own library cuts it to 16.
pub const PLUGIN_NAME_BYTES_MAX: usize = 64;

/// Attributes of one message that a plugin may give; what is beyond is left out and the record says
/// `truncated`. A record prints no more than half of them.
pub const PLUGIN_ATTRS_MAX: usize = 64;

/// Trace ids of one message that a plugin may give. DeepFlow keeps three.
pub const PLUGIN_TRACE_IDS_MAX: usize = 8;

/// Payloads of a flow in a row that no plugin could read before the flow is given back to inference.
pub const PLUGIN_MISSES_MAX: u8 = 32;

const _: () = assert!(DNS_MESSAGE_HEAD_BYTES_MAX + 2 <= STITCH_BYTES_MAX);
const _: () = assert!(PROBE_BYTES_MAX <= STITCH_BYTES_MAX);
const _: () = assert!(STITCH_BYTES_MAX <= u16::MAX as usize);
const _: () = assert!(RESYNC_TAIL_BYTES < STITCH_BYTES_MAX);
const _: () = assert!(PENDING_PER_FLOW_MAX <= PENDING_PER_LCORE_MAX);
// Lists of a flow count in 16 bits.
const _: () = assert!(PENDING_PER_FLOW_MAX < 1 << 16 && EARLY_RESPONSES_PER_FLOW_MAX < 1 << 16);
const _: () = assert!(TUNNEL_DEPTH_DEFAULT <= TUNNEL_DEPTH_MAX);
const _: () = assert!(LAYERS_MAX >= 6 * (TUNNEL_DEPTH_MAX as usize + 1));
const _: () = assert!(FRAGMENT_BYTES_MAX / FRAGMENT_DATAGRAMS_MAX >= 2 * 1500);
const _: () = assert!(FRAGMENT_BYTES_MAX >= 64 * 65_535);
const _: () = assert!(SQL_HEAD_BYTES_MAX < STITCH_BYTES_MAX);
const _: () = assert!(SQL_HEAD_BYTES_MAX < STATEMENT_BYTES_PER_FLOW_MAX);
const _: () = assert!(COMPRESSED_WHOLE_BYTES_MAX + 25 <= STITCH_BYTES_MAX);

/// How deep Hessian 2.0 values may stand within each other where they are passed. Transfer objects nest
/// less than ten deep; the last field of an object takes no depth, so that chains of objects don't count.
pub const HESSIAN2_DEPTH_MAX: usize = 32;

/// Classes that one Hessian 2.0 message may define where its values are passed.
pub const HESSIAN2_CLASSES_MAX: usize = 64;

/// Bytes of a Dubbo message in which service, method and parameter types must stand.
pub const DUBBO_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Bytes of one text of that head that are kept where it must be copied to be read.
pub const DUBBO_TEXT_BYTES_MAX: usize = 1024;

/// Bytes of a Dubbo request that are looked at for what stands behind its arguments; binaries, which are
/// passed unseen, don't count. Dubbo's own limit for a message is 8 MiB.
pub const DUBBO_WALKED_BYTES_MAX: u32 = 1 << 20;

/// Bytes of a Dubbo attachment, key and value, that are read.
pub const DUBBO_ATTACHMENT_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a Dubbo response in which the text of an error must begin.
pub const DUBBO_ERROR_BYTES_MAX: usize = 2 * 1024;

/// Longest Dubbo message, bytes: beyond its own limit by far.
pub const DUBBO_MESSAGE_BYTES_MAX: u32 = 1 << 28;

const _: () = assert!(DUBBO_HEAD_BYTES_MAX + DUBBO_ATTACHMENT_BYTES_MAX <= STITCH_BYTES_MAX);

/// Bytes of one text that a host tells of a process: a path is rarely longer, and eight of them must not
/// outgrow the texts of an exchange.
pub const HOST_TEXT_BYTES_MAX: usize = 512;
