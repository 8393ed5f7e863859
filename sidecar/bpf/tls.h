/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What applications hand to TLS libraries and get from them, as plain bytes.
 *
 * Three facts make a plain stream: which object of the library a call is about (its first argument), what the call
 * moved (its buffer and its result), and which socket the object belongs to. The last is learned without knowing any
 * library's structures: what a thread does on sockets while it is in a call, it does for that call's object. */
#pragma once

#include "payload.h"

/* What a probed function does; the low byte of an attachment's cookie, which src/tls/library.rs puts together. */
enum tls_operation {
    /* Handshake, shutdown, peek: tells whose socket it is, moves no plain bytes. */
    TLS_OTHER,
    /* (object, buffer, size): gives the bytes read. */
    TLS_READ,
    /* (object, buffer, size): gives the bytes written. */
    TLS_WRITE,
    /* (object, file, offset, size): gives the bytes written, which never were in the memory of the process. */
    TLS_SENDFILE,
};
#define TLS_OPERATION 0xff
/* The result is 1 for success, and the fourth argument says where the count is. */
#define TLS_COUNT_BY_FOURTH 0x100
/* The result is a C int; what stands above it in the register is undefined. */
#define TLS_RESULT_IS_INT 0x200
/* As TLS_COUNT_BY_FOURTH, with the fifth. */
#define TLS_COUNT_BY_FIFTH 0x400
/* Then the number of the library. */
#define TLS_LIBRARY_SHIFT 16

/* Of tls_call.flags: seq is known. */
#define TLS_SEQ_KNOWN 1
/* Of tls_call.flags: buffer is a distance from the top of a goroutine's stack, which may move. */
#define TLS_ON_STACK 2

/* The socket of an object whose plain bytes are not wanted. */
#define TLS_UNWANTED (~0ULL)

/* Content of a record: application data, which encrypted handshakes look like as well (RFC 8446, 5.1). */
#define TLS_APPLICATION_DATA 23
#define TLS_HANDSHAKE 22
#define TLS_RECORD_HEAD 5

struct tls_call {
    /* 0: no call. */
    __u64 object;
    /* Stack pointer at entry; in Go the distance from the stack's top. */
    __u64 frame;
    __u64 buffer;
    /* Where the count will be. */
    __u64 count_at;
    __u64 started_ns;
    /* The socket that the call used, 0: none so far. */
    __u64 cookie;
    /* The attachment's cookie. */
    __u32 how;
    /* Where the ciphertext began that the call moved in its own direction. */
    __u32 seq;
    __u32 flags;
    __u32 reserved;
};

/* Records at the start of what came last that are looked at, when applications carry the ciphertext themselves. */
#define TLS_RECORDS 4

struct tls_thread {
    struct tls_call call;
    /* The socket that ciphertext came from last, outside of any call; where its records of data begin, and how long
     * they are: 0 for others. */
    __u64 received_cookie;
    __u32 received_seqs[TLS_RECORDS];
    __u16 received_lens[TLS_RECORDS];
    /* The object that plain bytes were written to last, by a call that used no socket. */
    __u64 unsent_object;
    __u64 unsent_len;
};

#ifdef PLAIN_POINTERS
/* By thread. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct tls_thread);
} tls_threads SEC(".maps");

static const struct tls_thread no_thread;
#else
struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct tls_thread);
} tls_threads SEC(".maps");
#endif

/* What the current task is at; made when there is nothing, if `make`. */
static __always_inline struct tls_thread *tls_thread_of(struct task_struct *task, bool make)
{
#ifdef PLAIN_POINTERS
    __u64 key = bpf_get_current_pid_tgid();
    struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &key);

    if (thread || !make)
        return thread;
    bpf_map_update_elem(&tls_threads, &key, &no_thread, BPF_NOEXIST);
    return bpf_map_lookup_elem(&tls_threads, &key);
#else
    return bpf_task_storage_get(&tls_threads, task, 0, make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
#endif
}

struct tls_key {
    /* An object of a library; for calls of Go the goroutine. */
    __u64 pointer;
    __u32 pid;
    __u32 reserved;
};

struct tls_object {
    /* Of its socket, 0: not known yet. */
    __u64 cookie;
    /* When the entry was made: tells an object from the one that had its address before. */
    __u64 epoch_ns;
    /* Plain bytes so far, by direction. */
    __u64 offset[2];
    /* A call that writes has sent ciphertext and is not over; what had been received when it did. */
    __u64 is_sending;
    __u64 received_before;
    /* What a write that is to be repeated was given; GnuTLS repeats it without saying so again. */
    __u64 retry_buffer;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct tls_key);
    __type(value, struct tls_object);
} tls_objects SEC(".maps");

/* A goroutine goes from thread to thread, so its calls are kept by goroutine. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct tls_key);
    __type(value, struct tls_call);
} tls_go_calls SEC(".maps");

/* Whether any Go program has been in a call: until then no socket operation looks for goroutines. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} tls_go_seen SEC(".maps");

/* Processes whose files are to be looked at, and why. */
enum tls_look {
    /* It has begun, or loaded something. */
    TLS_LOOK_NEW,
    /* It speaks TLS, by no library that is watched. */
    TLS_LOOK_WHY,
};

struct tls_look_event {
    __u32 pid;
    __u32 why;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16);
} tls_looks SEC(".maps");

static __always_inline __u32 current_pid(void)
{
    return bpf_get_current_pid_tgid() >> 32;
}

/* Asks user space to look at the files of the current process, and wakes it up for that: the process may be about to
 * use what it has loaded. */
static __always_inline void tls_look(__u32 why)
{
    struct tls_look_event event = { .pid = current_pid(), .why = why };

    if (bpf_ringbuf_output(&tls_looks, &event, sizeof(event), 0))
        count(COUNTER_TLS_LOOK_LOST);
}

static __always_inline struct tls_key tls_key_of(__u64 pointer)
{
    struct tls_key key = { .pointer = pointer, .pid = current_pid() };

    return key;
}

static __always_inline bool tls_moves(__u32 how)
{
    return (how & TLS_OPERATION) != TLS_OTHER;
}

/* The entry of an object, made when there is none; none when there is no room. */
static __always_inline struct tls_object *tls_object_of(struct tls_key *key)
{
    struct tls_object *object = bpf_map_lookup_elem(&tls_objects, key);
    struct tls_object fresh;

    if (object)
        return object;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.epoch_ns = bpf_ktime_get_boot_ns();
    bpf_map_update_elem(&tls_objects, key, &fresh, BPF_NOEXIST);
    object = bpf_map_lookup_elem(&tls_objects, key);
    if (!object)
        count(COUNTER_TLS_NO_OBJECT);
    return object;
}

/* A call that writes has sent ciphertext. */
static __always_inline void tls_sends(__u64 pointer)
{
    struct tls_key key = tls_key_of(pointer);
    struct tls_object *object = tls_object_of(&key);

    if (!object || object->is_sending)
        return;
    object->is_sending = true;
    object->received_before = object->offset[RECEIVED];
}

static __always_inline __u8 tls_direction(__u32 how)
{
    return (how & TLS_OPERATION) == TLS_READ ? RECEIVED : SENT;
}

#if defined(__TARGET_ARCH_x86)
/* The goroutine, by Go's convention of calls, which system calls leave alone. */
#define GOROUTINE r14
#elif defined(__TARGET_ARCH_arm64)
#define GOROUTINE regs[28]
#endif

/* The call of a TLS library that the current task is in, or none. */
static __always_inline struct tls_call *tls_call_of(const struct caller *caller, struct tls_thread *thread)
{
    __u32 *seen, first = 0;
    struct pt_regs *regs;
    struct tls_key key;

    if (thread && thread->call.object)
        return &thread->call;
    seen = bpf_map_lookup_elem(&tls_go_seen, &first);
    if (!seen || !*seen || READ(caller->task, flags) & (PF_KTHREAD | PF_IO_WORKER))
        return 0;
    regs = regs_of(caller);
    key = tls_key_of(READ(regs, GOROUTINE));
    return bpf_map_lookup_elem(&tls_go_calls, &key);
}

/* Whether a record of `len` may hold `size` plain bytes: what an AEAD cipher adds is fixed. 16: ChaCha20 of TLS 1.2;
 * 17: TLS 1.3; 24: GCM and CCM of TLS 1.2 (RFC 7905, RFC 8446 5.2, RFC 5288). */
static __always_inline bool tls_record_holds(__u16 len, __u64 size)
{
    return len == size + 16 || len == size + 17 || len == size + 24;
}

/* Length of the record whose head is at `at` in user memory, 0: that is none. */
static __always_inline __u16 tls_record_at(__u64 at, __u8 *type)
{
    __u8 head[TLS_RECORD_HEAD];

    *type = 0;
    if (bpf_probe_read_user(head, sizeof(head), (void *)at) || head[1] != 3 || head[0] < 20 ||
        head[0] > TLS_APPLICATION_DATA)
        return 0;
    *type = head[0];
    return head[3] << 8 | head[4];
}

/* Where the first byte of the current system call's data lies, 0: not known. */
static __always_inline __u64 first_byte(const struct caller *caller)
{
    struct place place;
    __u64 base = 0;

    /* Of many messages in one call, which one it is at can be counted but once. */
    find_place(&place, caller, -1);
    if (place.missing != MISSING_NONE)
        return 0;
    if (!place.is_vector)
        return place.address;
    bpf_probe_read_user(&base, sizeof(base), (void *)place.address);
    return base;
}

/* An object is known to belong to a socket. */
static __always_inline void tls_bind(__u64 pointer, __u64 cookie)
{
    struct tls_key key = tls_key_of(pointer);
    struct tls_object *object = bpf_map_lookup_elem(&tls_objects, &key);

    if (object && !object->cookie)
        object->cookie = cookie;
}

/* The current task has moved `len` bytes on a socket. Says of which library's call that is part, 0: of none. */
static __always_inline __u8 tls_on_socket(const struct caller *caller, __u64 cookie, __u8 direction, __u32 seq, __u32 len)
{
    struct tls_thread *thread = tls_thread_of(caller->task, false);
    struct tls_call *call = tls_call_of(caller, thread);
    __u64 at, end;
    __u16 record;
    __u8 type;
    int i;

    if (call) {
        call->cookie = cookie;
        if (direction == SENT && tls_moves(call->how) && tls_direction(call->how) == SENT)
            tls_sends(call->object);
        /* Who reads a record's head by itself, begins another: the last one holds the data, others the handshake. */
        if (direction == tls_direction(call->how) &&
            (!(call->flags & TLS_SEQ_KNOWN) || (direction == RECEIVED && len == TLS_RECORD_HEAD))) {
            call->seq = seq;
            call->flags |= TLS_SEQ_KNOWN;
        }
        return call->how >> TLS_LIBRARY_SHIFT;
    }
    /* Only threads that use TLS libraries have a state, so nobody else pays for the rest. */
    if (!thread)
        return 0;
    at = first_byte(caller);
    record = tls_record_at(at, &type);
    if (!at || !record)
        return 0;
    if (direction == SENT) {
        if (thread->unsent_object && type == TLS_APPLICATION_DATA && tls_record_holds(record, thread->unsent_len))
            tls_bind(thread->unsent_object, cookie);
        thread->unsent_object = 0;
        return 0;
    }
    thread->received_cookie = cookie;
    end = at + len;
    for (i = 0; i < TLS_RECORDS; i++) {
        thread->received_seqs[i] = seq;
        thread->received_lens[i] = type == TLS_APPLICATION_DATA ? record : 0;
        seq += TLS_RECORD_HEAD + record;
        at += TLS_RECORD_HEAD + record;
        if (type && at + TLS_RECORD_HEAD <= end)
            record = tls_record_at(at, &type);
        else
            type = 0;
    }
    return 0;
}
