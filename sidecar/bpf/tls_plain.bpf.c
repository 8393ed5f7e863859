/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The programs for TLS libraries that go with the backend of plain tracepoints. */
#define PLAIN_POINTERS
#include "tls.bpf.c"
