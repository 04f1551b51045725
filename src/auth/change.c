/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants to know that rights may have changed, and whether what a request came with still holds.
 */
#include "auth/state.h"
#include "base/mem.h"
#include <sodium.h>

struct auth_listener {
    struct auth *auth;
    struct auth_listener *next;
    uint64_t told; /* the generation that it was told last */
    auth_changed_fn *changed;
    void *owner;
};

uint64_t auth_generation(const struct auth *auth)
{
    return auth->generation;
}

void auth_note_change(void *owner)
{
    struct auth *auth = owner;

    auth->generation++;
    auth_forget_reviews(auth);
    loop_task_post(auth->change);
}

/* A listener may unlisten itself or another: each is told by its own mark, from the front. */
void auth_tell_listeners(void *owner)
{
    struct auth *auth = owner;
    struct auth_listener *at = auth->listeners;

    while (at != NULL) {
        if (at->told == auth->generation) {
            at = at->next;
            continue;
        }
        at->told = auth->generation;
        at->changed(at->owner);
        at = auth->listeners;
    }
}

struct auth_listener *auth_listen(struct auth *auth, auth_changed_fn *changed, void *owner)
{
    struct auth_listener *listener = new0(struct auth_listener);

    *listener = (struct auth_listener){
            auth, auth->listeners, auth->generation, changed, owner,
    };
    auth->listeners = listener;
    return listener;
}

void auth_unlisten(struct auth_listener *listener)
{
    if (listener == NULL)
        return;
    struct auth_listener **at = &listener->auth->listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    mem_free(listener);
}

struct auth_ticket auth_ticket_of(str text, bool is_session)
{
    return (struct auth_ticket){hash_bytes(text), is_session};
}

struct find {
    const struct auth_ticket *ticket;
    const struct user *found;
};

static void look(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct find *find = owner;
    const struct user *user = kept;
    const struct hash *hash = &find->ticket->hash;

    if (user == NULL)
        return;
    if (find->ticket->is_session ? user_find_session(user, hash) != NULL
                                 : user_has_token(user, hash))
        find->found = user;
}

bool auth_ticket_holds(const struct auth *auth, const struct auth_ticket *ticket,
                       struct auth_user *ret_user)
{
    struct find find = {.ticket = ticket};

    if (auth->users != NULL)
        reflector_each(auth->users, look, &find);
    if (find.found == NULL || find.found->disabled)
        return false;
    *ret_user = (struct auth_user){find.found->name, find.found->groups, find.found->group_count};
    return true;
}
