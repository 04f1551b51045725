/* SPDX-License-Identifier: Apache-2.0 */
/* Pods from templates, their counts and conditions: the first half of sandbox/pod.h. */
#include "doc/hash.h"
#include "sandbox/pod.h"

#include <sys/random.h>

/* No vowels and no look-alikes: names never spell words. */
static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

str pod_random_name(struct arena *arena, str name)
{
    unsigned char bytes[5] = {0};
    char suffix[5];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        memset(bytes, 7, sizeof(bytes)); /* a taken name is tried again */
    for (size_t i = 0; i < sizeof(suffix); i++)
        suffix[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
    return arena_printf(arena, "%.*s-%.5s", STR(str_first(name, 57 + 190)), suffix);
}

str pod_template_hash(struct arena *arena, const struct val *template_)
{
    struct hash hash = hash_val(template_);
    char *text = arena_bytes(arena, 11);

    for (size_t i = 0; i < 10; i++)
        text[i] = alphabet[hash.bytes[i] % (sizeof(alphabet) - 1)];
    return str_of(text, 10);
}

struct val pod_owner_reference(struct arena *arena, const struct val *owner)
{
    struct val reference = val_map();

    val_set_str(arena, &reference, S("apiVersion"), val_get_str(owner, S("apiVersion")));
    val_set_str(arena, &reference, S("kind"), val_get_str(owner, S("kind")));
    val_set_str(arena, &reference, S("name"), object_name(owner));
    val_set_str(arena, &reference, S("uid"), object_uid(owner));
    val_set(arena, &reference, S("controller"), val_bool(true));
    val_set(arena, &reference, S("blockOwnerDeletion"), val_bool(true));
    return reference;
}

struct val *pod_from_template(struct world_key *key, const struct val *owner,
                              const struct val *template_, str name, const char *hash_label,
                              str hash)
{
    struct arena *arena = key->at;
    struct val *pod = val_new(arena, val_map());

    val_set_str(arena, pod, S("apiVersion"), S("v1"));
    val_set_str(arena, pod, S("kind"), S("Pod"));
    struct val *metadata = val_set(arena, pod, S("metadata"),
                                   val_dup_value(arena, val_get(template_, S("metadata"))));
    if (!val_is(metadata, VAL_MAP))
        *metadata = val_map();
    val_set_str(arena, metadata, S("name"), name);
    val_set_str(arena, metadata, S("namespace"), object_namespace(owner));
    if (hash_label != NULL && !str_is_empty(hash))
        val_set_str(arena, val_ensure_map(arena, metadata, S("labels")), str_from(hash_label),
                    hash);
    val_append(arena, val_ensure_list(arena, metadata, S("ownerReferences")),
               pod_owner_reference(arena, owner));
    val_set(arena, pod, S("spec"), val_dup_value(arena, val_get(template_, S("spec"))));
    return pod;
}

struct pod_counts pod_count(const struct world *world, str owner_uid)
{
    struct pod_counts counts = {0};

    for (struct thing *t = world_children(world, owner_uid); t != NULL; t = t->next_sibling) {
        if (t->kind != WORLD_POD)
            continue;
        if (t->finished) {
            counts.succeeded += t->succeeded ? 1 : 0;
            counts.failed += t->succeeded ? 0 : 1;
        } else if (t->deleting) {
            counts.deleting++;
        } else {
            counts.active++;
            counts.ready += t->ready ? 1 : 0;
        }
    }
    return counts;
}

static const struct val *find_condition(const struct val *conditions, str type)
{
    struct val_iter it = val_iter(conditions);

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), type))
            return it.value;
    return NULL;
}

void pod_condition(struct world_key *key, struct val *conditions, const struct val *old,
                   const char *type, bool status, const char *reason, str message)
{
    struct arena *arena = key->at;
    struct val one = val_map();
    const struct val *was = find_condition(old, str_from(type));
    str word = status ? S("True") : S("False");
    str since = val_get_str(was, S("lastTransitionTime"));

    if (!str_eq(val_get_str(was, S("status")), word) || str_is_empty(since))
        since = world_now(key);
    val_set_str(arena, &one, S("type"), str_from(type));
    val_set_str(arena, &one, S("status"), word);
    val_set_str(arena, &one, S("lastTransitionTime"), since);
    if (reason != NULL)
        val_set_str(arena, &one, S("reason"), str_from(reason));
    if (!str_is_empty(message))
        val_set_str(arena, &one, S("message"), message);
    val_append(arena, conditions, one);
}
