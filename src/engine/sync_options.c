/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sync_options.h"

static const struct {
    str name;
    size_t offset;
    str on;  /* the value that sets the flag */
    str off; /* the value that clears it */
} flags[] = {
        {S_INIT("Validate"), offsetof(struct sync_options, skip_validation), S_INIT("false"),
         S_INIT("true")},
        {S_INIT("CreateNamespace"), offsetof(struct sync_options, create_namespace), S_INIT("true"),
         S_INIT("false")},
        {S_INIT("PruneLast"), offsetof(struct sync_options, prune_last), S_INIT("true"),
         S_INIT("false")},
        {S_INIT("ApplyOutOfSyncOnly"), offsetof(struct sync_options, out_of_sync_only),
         S_INIT("true"), S_INIT("false")},
        {S_INIT("Replace"), offsetof(struct sync_options, replace), S_INIT("true"),
         S_INIT("false")},
        {S_INIT("Force"), offsetof(struct sync_options, force), S_INIT("true"), S_INIT("false")},
        {S_INIT("RespectIgnoreDifferences"), offsetof(struct sync_options, respect_ignore),
         S_INIT("true"), S_INIT("false")},
        {S_INIT("FailOnSharedResource"), offsetof(struct sync_options, fail_on_shared),
         S_INIT("true"), S_INIT("false")},
        {S_INIT("TakeOwnership"), offsetof(struct sync_options, take_ownership), S_INIT("true"),
         S_INIT("false")},
        {S_INIT("SkipDryRunOnMissingResource"), offsetof(struct sync_options, skip_dry_run_missing),
         S_INIT("true"), S_INIT("false")},
        {S_INIT("Prune"), offsetof(struct sync_options, keep_on_prune), S_INIT("false"),
         S_INIT("true")},
        {S_INIT("Delete"), offsetof(struct sync_options, keep_on_delete), S_INIT("false"),
         S_INIT("true")},
        {S_INIT("Prune"), offsetof(struct sync_options, confirm_prune), S_INIT("confirm"),
         S_INIT("true")},
        {S_INIT("Delete"), offsetof(struct sync_options, confirm_delete), S_INIT("confirm"),
         S_INIT("true")},
};

static const struct {
    str name;
    enum sync_propagation propagation;
    const char *kube;
} propagations[] = {
        {S_INIT("foreground"), SYNC_FOREGROUND, "Foreground"},
        {S_INIT("background"), SYNC_BACKGROUND, "Background"},
        {S_INIT("orphan"), SYNC_ORPHAN, "Orphan"},
};

void sync_options_add(struct sync_options *options, str text)
{
    str rest = str_trim(text);
    str name;

    if (!str_split(&rest, '=', &name) || rest.at == NULL)
        return;
    for (size_t i = 0; i < COUNT(flags); i++) {
        bool *flag = (bool *)((char *)options + flags[i].offset);

        if (!str_eq(name, flags[i].name))
            continue;
        if (str_eq(rest, flags[i].on))
            *flag = true;
        else if (str_eq(rest, flags[i].off))
            *flag = false;
    }
    if (!str_eq(name, S("PrunePropagationPolicy")))
        return;
    for (size_t i = 0; i < COUNT(propagations); i++)
        if (str_eq(rest, propagations[i].name))
            options->propagation = propagations[i].propagation;
}

void sync_options_add_list(struct sync_options *options, const struct val *list)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        sync_options_add(options, val_str(it.value));
}

void sync_options_add_csv(struct sync_options *options, str csv)
{
    str rest = csv;
    str part;

    while (rest.at != NULL && str_split(&rest, ',', &part))
        sync_options_add(options, part);
}

const char *sync_propagation_name(enum sync_propagation propagation)
{
    for (size_t i = 0; i < COUNT(propagations); i++)
        if (propagations[i].propagation == propagation)
            return propagations[i].kube;
    return "Foreground";
}
