/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Finds the bytes of a call in the memory of the process that made it, and copies them. The socket's tracepoints tell
 * how many there were; where they lie stands in the registers of the system call. */
#pragma once

#include "maps.h"
#include "syscalls.h"

/* Buffers of one call that are looked at. Writers of responses use two or three; nobody known more than 64. */
#define BUFFERS_MAX 64

struct place {
    /* Of a buffer, or of a vector of them. */
    __u64 address;
    __u64 count;
    /* Where the message goes, if that was told. */
    __u64 name;
    /* The scratch that its bytes go to. */
    __u32 which;
    bool is_vector;
    __u8 missing;
};

static __always_inline void of_message(struct place *place, __u64 address)
{
    struct user_msghdr message;

    place->is_vector = true;
    if (bpf_probe_read_user(&message, sizeof(message), (void *)address)) {
        place->missing = MISSING_UNREADABLE;
        return;
    }
    place->name = message.name;
    place->address = message.iov;
    place->count = message.iov_len;
}

#ifdef PLAIN_POINTERS
static __always_inline void of_vector(struct place *place, const struct caller *caller, __u64 vector,
                                      __u64 count_all, int ret)
{
    struct user_mmsghdr *messages = (struct user_mmsghdr *)vector;

    if (caller->is_scattered)
        place->missing = MISSING_BUFFERS;
    else
        of_message(place, (__u64)&messages[caller->message].message);
}
#else
/* The n-th message of the vector of a call: n counts how often the task has been here in this call. A vector is begun
 * anew when its last message is done or one failed; and when the kernel has not noted for the message before what it
 * gave, that was another call. */
static __always_inline void of_vector(struct place *place, const struct caller *caller, __u64 vector,
                                      __u64 count_all, int ret)
{
    struct task_state *state = bpf_task_storage_get(&tasks, caller->task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct user_mmsghdr *messages = (struct user_mmsghdr *)vector;
    __u32 n, last = 0;

    if (!state || ret < 0) {
        place->missing = MISSING_SYSCALL;
        return;
    }
    n = state->vector == vector && state->next < count_all ? state->next : 0;
    if (n && (bpf_probe_read_user(&last, sizeof(last), &messages[n - 1].len) || last != state->last))
        n = 0;
    state->vector = n + 1 < count_all ? vector : 0;
    state->next = n + 1;
    state->last = ret;
    of_message(place, (__u64)&messages[n].message);
}

/* A call has failed: one of many messages ends with it. */
static __always_inline void end_vector(struct task_struct *task)
{
    struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);

    if (state)
        state->vector = 0;
}
#endif

/* Whether the current task's registers are not those of a 64-bit call that moves data, and why. */
static __always_inline __u8 why_no_place(struct task_struct *task, struct pt_regs *regs)
{
#ifndef PLAIN_POINTERS
    if (task->flags & PF_KTHREAD)
        return MISSING_KERNEL;
    /* What io_uring does, it does in calls of its own, in threads of its own, and at the end of any other call. */
    if (task->flags & PF_IO_WORKER || (task->io_uring && !IS_UNDER_WAY(regs)))
        return MISSING_SYSCALL;
#endif
    return IS_COMPAT(task) ? MISSING_COMPAT : MISSING_NONE;
}

static __always_inline void find_place(struct place *place, const struct caller *caller, int ret)
{
    struct pt_regs *regs = regs_of(caller);

    place->address = 0;
    place->count = 0;
    place->name = 0;
    place->is_vector = false;
    place->missing = why_no_place(caller->task, regs);
    if (place->missing != MISSING_NONE)
        return;
    switch (SYSCALL(regs)) {
    case SYS_sendto:
    case SYS_recvfrom:
        place->name = ARGUMENT5(regs);
        place->address = ARGUMENT2(regs);
        return;
    case SYS_read:
    case SYS_write:
        place->address = ARGUMENT2(regs);
        return;
    case SYS_readv:
    case SYS_writev:
    case SYS_preadv2:
    case SYS_pwritev2:
        place->address = ARGUMENT2(regs);
        place->count = ARGUMENT3(regs);
        place->is_vector = true;
        return;
    case SYS_recvmsg:
    case SYS_sendmsg:
        of_message(place, ARGUMENT2(regs));
        return;
    case SYS_recvmmsg:
#ifndef PLAIN_POINTERS
        /* A call that ends when its time is over does so without a trace. */
        if (ARGUMENT5(regs)) {
            place->missing = MISSING_SYSCALL;
            return;
        }
#endif
        of_vector(place, caller, ARGUMENT2(regs), ARGUMENT3(regs), ret);
        return;
    case SYS_sendmmsg:
        of_vector(place, caller, ARGUMENT2(regs), ARGUMENT3(regs), ret);
        return;
    case SYS_sendfile:
    case SYS_splice:
        place->missing = MISSING_NO_MEMORY;
        return;
    default:
        place->missing = MISSING_SYSCALL;
    }
}

struct gathering {
    struct scratch *scratch;
    __u64 vector;
    __u64 count;
    __u32 done;
    __u32 wanted;
    __u8 missing;
};

/* Copies from the memory of the process. The bound, which always holds, is for the verifier: 64 bits wide, and right where
 * the number is used, since older ones forget it on the way through 32-bit registers. */
static __always_inline bool read_user(void *to, __u64 len, __u64 from)
{
    barrier_var(len);
    if (len > CAPTURE_MAX)
        return false;
    return bpf_probe_read_user(to, len, (void *)from) == 0;
}

static long gather_one(__u32 index, void *context)
{
    struct gathering *g = context;
    struct user_iovec piece;
    __u32 at = g->done, len = g->wanted - at;

    if (index >= g->count || at >= g->wanted)
        return 1;
    if (bpf_probe_read_user(&piece, sizeof(piece), (void *)(g->vector + index * sizeof(piece)))) {
        g->missing = MISSING_UNREADABLE;
        return 1;
    }
    if (piece.len < len)
        len = piece.len;
    if (at >= CAPTURE_MAX)
        return 1;
    if (!read_user(g->scratch->bytes + at, len, piece.base)) {
        g->missing = MISSING_UNREADABLE;
        return 1;
    }
    g->done = at + len;
    return 0;
}

#ifdef PLAIN_POINTERS
/* For kernels without bpf_loop: a function of its own, which the verifier looks at but once. How many bytes there are, and
 * above them, from bit 16 on, why not all. */
__noinline int gather_buffers(__u32 which, __u64 vector, __u64 count, __u32 wanted)
{
    struct gathering g = {
        .scratch = bpf_map_lookup_elem(&scratches, &which),
        .vector = vector,
        .count = count,
        .wanted = wanted,
    };

    if (!g.scratch)
        return 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < BUFFERS_MAX; i++)
        if (gather_one(i, &g))
            break;
    return g.done | g.missing << 16;
}
#endif

/* Copies from several buffers. */
static __always_inline __u32 gather_vector(struct scratch *scratch, const struct place *place, __u32 wanted,
                                           __u8 *missing)
{
#ifdef PLAIN_POINTERS
    __u32 result = gather_buffers(place->which, place->address, place->count, wanted);
    __u32 done = result & 0xffff;

    *missing = result >> 16;
#else
    struct gathering g = {
        .scratch = scratch,
        .vector = place->address,
        .count = place->count,
        .wanted = wanted,
    };
    __u32 done;

    bpf_loop(BUFFERS_MAX, gather_one, &g, 0);
    done = g.done;
    *missing = g.missing;
#endif
    if (done < wanted && !*missing)
        *missing = MISSING_BUFFERS;
    return done;
}

/* Copies up to `wanted` bytes to the scratch; how many there are, and, if not all, why. */
static __always_inline __u32 gather(struct scratch *scratch, const struct place *place, __u32 wanted, __u8 *missing)
{
    *missing = place->missing;
    if (place->missing != MISSING_NONE)
        return 0;
    if (wanted > CAPTURE_MAX)
        wanted = CAPTURE_MAX;
    if (!place->is_vector) {
        if (read_user(scratch->bytes, wanted, place->address))
            return wanted;
        *missing = MISSING_UNREADABLE;
        return 0;
    }
    return gather_vector(scratch, place, wanted, missing);
}

/* Copies the bytes behind the head of the event, as many as are wanted of one call; how many there are, and why not
 * all. */
static __always_inline __u32 capture(struct scratch *scratch, const struct place *place, __u32 len, __u8 *missing)
{
    __u32 captured, wanted = len;

    if (wanted > settings.capture_max)
        wanted = settings.capture_max;
    captured = gather(scratch, place, wanted, missing);
    if (*missing == MISSING_NONE && captured < len)
        *missing = MISSING_LIMIT;
    if (*missing != MISSING_NONE)
        count(COUNTER_MISSING + *missing - MISSING_LIMIT);
    return captured;
}
