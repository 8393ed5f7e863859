/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Cgroups that are made while filters ask for cgroups: who may be in one of them is known before anybody is. An object
 * of its own, loaded where there are such filters, which shares their map with the sockets' programs. */
#include "filter.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Bytes of a cgroup's name, and of a path that is asked for, with a zero behind. A power of two. */
#define TEXT_MAX 256

/* Digits of a container's id, at most. */
#define ID_MAX 64

struct id {
    __u32 len;
    char digits[ID_MAX];
};

/* Containers that are asked for, by the beginnings of their ids; as many as `containers` says. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 64);
    __type(key, __u32);
    __type(value, struct id);
} filter_containers SEC(".maps");

/* Cgroups that are asked for, by their paths. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, char[TEXT_MAX]);
    __type(value, __u8);
} filter_paths SEC(".maps");

struct search {
    char text[TEXT_MAX];
    bool found;
};

static __always_inline bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Whether the id of the one number begins a word at the other. */
static long compare(__u32 index, void *context)
{
    __u32 number = index / TEXT_MAX, at = index % TEXT_MAX, i;
    struct search *search = context;
    struct id *id;

    if (at && is_alphanumeric(search->text[(at - 1) % TEXT_MAX]))
        return 0;
    id = bpf_map_lookup_elem(&filter_containers, &number);
    if (!id || !id->len)
        return 1;
    for (i = 0; i < ID_MAX && i < id->len; i++)
        if (search->text[(at + i) % TEXT_MAX] != id->digits[i])
            return 0;
    search->found = true;
    return 1;
}

/* Whether a cgroup is, or is within, one that is asked for. */
static __always_inline bool is_wanted(struct cgroup *cgroup, const char *path)
{
    __u64 parent = BPF_CORE_READ(cgroup, self.parent, cgroup, kn, id);
    struct search search;

    if (bpf_map_lookup_elem(&filter_cgroups, &parent))
        return true;
    __builtin_memset(&search, 0, sizeof(search));
    bpf_probe_read_kernel_str(search.text, TEXT_MAX, path);
    if (bpf_map_lookup_elem(&filter_paths, search.text))
        return true;
    __builtin_memset(&search, 0, sizeof(search));
    bpf_probe_read_kernel_str(search.text, TEXT_MAX, BPF_CORE_READ(cgroup, kn, name));
    bpf_loop(64 * TEXT_MAX, compare, &search, 0);
    return search.found;
}

SEC("raw_tp/cgroup_mkdir")
int BPF_PROG(cgroup_made, struct cgroup *cgroup, const char *path)
{
    __u64 id = BPF_CORE_READ(cgroup, kn, id);
    __u8 there = 1;

    /* Of version 2; others have numbers of their own. */
    if (BPF_CORE_READ(cgroup, root, hierarchy_id) || !is_wanted(cgroup, path))
        return 0;
    if (bpf_map_update_elem(&filter_cgroups, &id, &there, BPF_ANY))
        count(COUNTER_CGROUP_NO_ROOM);
    return 0;
}

SEC("raw_tp/cgroup_rmdir")
int BPF_PROG(cgroup_gone, struct cgroup *cgroup, const char *path)
{
    __u64 id = BPF_CORE_READ(cgroup, kn, id);

    if (!BPF_CORE_READ(cgroup, root, hierarchy_id))
        bpf_map_delete_elem(&filter_cgroups, &id);
    return 0;
}
