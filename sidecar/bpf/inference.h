/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The first look at payload: the very table that user space narrows its candidates by, so that nothing is turned away
 * here that user space would look at. */
#pragma once

#include "maps.h"

/* Whether any protocol begins with the `count` bytes that there are of the first four. */
static __always_inline bool begins_protocol(const __u8 *bytes, __u32 count, __u8 transport)
{
    __u64 set = candidates.by_transport[transport & 1];

    if (count > 0)
        set &= candidates.by_byte[0][bytes[0]];
    if (count > 1)
        set &= candidates.by_byte[1][bytes[1]];
    if (count > 2)
        set &= candidates.by_byte[2][bytes[2]];
    if (count > 3)
        set &= candidates.by_byte[3][bytes[3]];
    return set != 0;
}

static __always_inline bool is_known_port(__u16 port)
{
    return candidates.known_ports[port >> 6] & (1ULL << (port & 63));
}

/* The same of a datagram, of whose first four bytes all are there, when its ports are known. */
static __always_inline bool begins_datagram(const __u8 *bytes, __u16 local_port, __u16 remote_port)
{
    __u64 set = candidates.by_transport[1];
    int i;

    if (is_known_port(local_port) || is_known_port(remote_port))
        return true;
    for (i = 0; i < 4; i++)
        set &= candidates.by_byte[i][bytes[i]] & candidates.by_byte_elsewhere[i][bytes[i]];
    return set != 0;
}
