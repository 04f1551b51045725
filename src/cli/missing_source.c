/* SPDX-License-Identifier: Apache-2.0 */
/* Linked only while src/source/source.c is not there: code repositories refuse. */
#include "base/mem.h"
#include "source/source.h"

struct source {
    int unused;
};

struct source *source_new(UNUSED struct loop *loop, UNUSED struct render_pool *pool,
                          UNUSED const struct source_options *options, UNUSED struct err *err)
{
    return new0(struct source);
}
void source_free(struct source *source)
{
    mem_free(source);
}
void source_repo_unref(UNUSED struct source_repo *repo)
{
}
struct source_repo *source_repo_get(UNUSED struct source *source, UNUSED str url,
                                    UNUSED const struct source_credential *credential,
                                    struct err *err)
{
    err_set(err, ERR_UNSUPPORTED, "not supported yet: code repositories");
    return NULL;
}
void source_cancel(UNUSED struct source_wait *wait)
{
}
bool source_url_normalize(struct arena *arena, str url, str *ret_url, UNUSED struct err *err)
{
    *ret_url = arena_str(arena, url);
    return true;
}
str source_repo_url(UNUSED const struct source_repo *repo)
{
    return STR_EMPTY;
}
int64_t source_repo_listed_ms(UNUSED const struct source_repo *repo)
{
    return 0;
}
void source_repo_subscribe(UNUSED struct source_repo *repo, UNUSED source_changed_fn *fn,
                           UNUSED void *owner)
{
}
void source_repo_unsubscribe(UNUSED struct source_repo *repo, UNUSED void *owner)
{
}
struct source_wait *source_desire(UNUSED struct source_repo *repo,
                                  UNUSED const struct source_request *request,
                                  UNUSED source_desired_fn *done, UNUSED void *owner)
{
    return NULL;
}
struct source_wait *source_list_refs(UNUSED struct source_repo *repo, UNUSED int64_t max_age_ms,
                                     UNUSED source_refs_fn *done, UNUSED void *owner)
{
    return NULL;
}
