/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/children.h"

/* The cause line of one object: its Pods say most, then Warnings about them, about what stands
 * between, and about the object itself. */

struct question {
    const struct children *children;
    struct arena *arena;
    size_t pods;
    str trouble; /* the first that is found: the one that is told */
    size_t with_it;
    str warning;
};

static void take_trouble(struct question *question, str trouble)
{
    if (str_is_empty(trouble))
        return;
    if (str_is_empty(question->trouble))
        question->trouble = trouble;
    question->with_it += str_eq(question->trouble, trouble);
}

static void take_warning(struct question *question, str uid)
{
    const struct warning *warning = children_warning(question->children, uid);

    if (warning != NULL && str_is_empty(question->warning))
        question->warning = warning_words(warning, question->arena);
}

static void take_pod(struct question *question, const struct child *pod)
{
    const struct warning *warning = children_warning(question->children, pod->uid);

    if (pod->deleting || (pod->ended && str_is_empty(pod->trouble)))
        return;
    question->pods++;
    if (!str_is_empty(pod->trouble))
        take_trouble(question, pod->trouble);
    else if (warning != NULL && pod->health != HEALTH_HEALTHY)
        take_trouble(question, warning_words(warning, question->arena));
}

static void take_children(struct question *question, str uid, size_t depth)
{
    struct index_set set = children_of(question->children, uid);

    for (size_t i = 0; i < set.count && depth < LIMIT_OWNER_DEPTH; i++) {
        const struct child *child = set.at[i];

        if (child->kind == CHILD_POD) {
            take_pod(question, child);
        } else {
            take_children(question, child->uid, depth + 1);
            if (child->health != HEALTH_HEALTHY)
                take_warning(question, child->uid);
        }
    }
}

str children_cause(const struct children *children, str uid, struct arena *arena)
{
    struct question question = {
            .children = children, .arena = arena, .trouble = STR_EMPTY, .warning = STR_EMPTY};
    const struct child *self = children_find(children, uid);

    if (children == NULL)
        return STR_EMPTY;
    if (self != NULL && self->kind == CHILD_POD) {
        take_pod(&question, self);
        return arena_str(arena, question.trouble);
    }
    take_children(&question, uid, 0);
    take_warning(&question, uid);
    if (question.with_it > 0)
        return arena_printf(arena, "%.*s, %zu of %zu Pods", STR(question.trouble), question.with_it,
                            question.pods);
    return question.warning;
}
