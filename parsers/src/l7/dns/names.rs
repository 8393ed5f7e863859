//! Numbers and names of the DNS. Source: the IANA registry "Domain Name System (DNS) Parameters".

/// An IPv4 address, RFC 1035.
pub(super) const A: u16 = 1;
/// Start of a zone, RFC 1035.
pub(super) const SOA: u16 = 6;
/// An IPv6 address, RFC 3596.
pub(super) const AAAA: u16 = 28;
/// The pseudo record of EDNS, RFC 6891.
pub(super) const OPT: u16 = 41;
/// Incremental zone transfer, RFC 1995.
pub(super) const IXFR: u16 = 251;
/// Zone transfer, RFC 5936.
pub(super) const AXFR: u16 = 252;

/// Opcode of an ordinary query.
pub(super) const QUERY: u8 = 0;
/// Opcode of the inverse query that RFC 3425 abolished.
pub(super) const IQUERY: u8 = 1;
/// Opcode of a zone change notice, RFC 1996.
pub(super) const NOTIFY: u8 = 4;
/// Opcode of a dynamic update, RFC 2136.
pub(super) const UPDATE: u8 = 5;
/// Opcode of DNS stateful operations, RFC 8490.
pub(super) const DSO: u8 = 6;

/// The name of a record or query type; `None` where the registry has none.
pub(super) fn type_name(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "A",
        2 => "NS",
        3 => "MD",
        4 => "MF",
        5 => "CNAME",
        6 => "SOA",
        7 => "MB",
        8 => "MG",
        9 => "MR",
        10 => "NULL",
        11 => "WKS",
        12 => "PTR",
        13 => "HINFO",
        14 => "MINFO",
        15 => "MX",
        16 => "TXT",
        17 => "RP",
        18 => "AFSDB",
        19 => "X25",
        20 => "ISDN",
        21 => "RT",
        22 => "NSAP",
        23 => "NSAP-PTR",
        24 => "SIG",
        25 => "KEY",
        26 => "PX",
        27 => "GPOS",
        28 => "AAAA",
        29 => "LOC",
        30 => "NXT",
        31 => "EID",
        32 => "NIMLOC",
        33 => "SRV",
        34 => "ATMA",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        38 => "A6",
        39 => "DNAME",
        40 => "SINK",
        41 => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        55 => "HIP",
        56 => "NINFO",
        57 => "RKEY",
        58 => "TALINK",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        66 => "DSYNC",
        67 => "HHIT",
        68 => "BRID",
        99 => "SPF",
        100 => "UINFO",
        101 => "UID",
        102 => "GID",
        103 => "UNSPEC",
        104 => "NID",
        105 => "L32",
        106 => "L64",
        107 => "LP",
        108 => "EUI48",
        109 => "EUI64",
        128 => "NXNAME",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        253 => "MAILB",
        254 => "MAILA",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        258 => "AVC",
        259 => "DOA",
        260 => "AMTRELAY",
        261 => "RESINFO",
        262 => "WALLET",
        263 => "CLA",
        264 => "IPN",
        32768 => "TA",
        32769 => "DLV",
        // Microsoft's, MS-DNSP section 2.2.2.1.1.
        65281 => "WINS",
        65282 => "WINSR",
        _ => return None,
    })
}

/// Whether `class` is in use: IN, CH, HS, NONE or ANY. The top bit is mDNS's (RFC 6762 sections 5.4, 10.2).
pub(super) fn is_class(class: u16) -> bool {
    matches!(class & 0x7FFF, 1 | 3 | 4 | 254 | 255)
}

/// The name of an opcode; `None` where it is not assigned.
pub(super) fn opcode_name(opcode: u8) -> Option<&'static str> {
    Some(match opcode {
        QUERY => "QUERY",
        IQUERY => "IQUERY",
        2 => "STATUS",
        NOTIFY => "NOTIFY",
        UPDATE => "UPDATE",
        DSO => "DSO",
        _ => return None,
    })
}

/// The name of a response code, extended ones included; `None` where it is not assigned.
pub(super) fn rcode_name(rcode: u16) -> Option<&'static str> {
    Some(match rcode {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => return None,
    })
}

/// The key of an SVCB parameter, RFC 9460 section 14.3.2; `None` where it is not assigned.
pub(super) fn svc_param_name(key: u16) -> Option<&'static str> {
    Some(match key {
        0 => "mandatory",
        1 => "alpn",
        2 => "no-default-alpn",
        3 => "port",
        4 => "ipv4hint",
        5 => "ech",
        6 => "ipv6hint",
        7 => "dohpath",
        8 => "ohttp",
        9 => "tls-supported-groups",
        _ => return None,
    })
}
