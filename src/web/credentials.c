/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: Secrets of KubeSphere's types in the DevOps Project's namespace. Values go in and
 * never come out. */
#include "doc/hash.h"
#include "web/call.h"
#include "web/list.h"

#define TYPE_PREFIX "credential.devops.kubesphere.io/"

/* One row a type: our word, KubeSphere's suffix, the key that holds the secret. */
static const struct {
    str word;
    str suffix;
    str secret_key;
    bool has_username;
} types[] = {
        {S_INIT("basic"), S_INIT("basic-auth"), S_INIT("password"), true},
        {S_INIT("ssh"), S_INIT("ssh-auth"), S_INIT("private_key"), true},
        {S_INIT("token"), S_INIT("secret-text"), S_INIT("secret"), false},
};

static str data_text(struct arena *arena, const struct val *secret, str key)
{
    str text = STR_EMPTY;

    if (!base64_decode(arena, val_get_str(val_get(secret, S("data")), key), &text))
        return STR_EMPTY;
    return text;
}

static str type_word(const struct val *secret)
{
    str type = val_get_str(secret, S("type"));

    if (!str_skip(&type, S(TYPE_PREFIX)))
        return STR_EMPTY;
    for (size_t i = 0; i < COUNT(types); i++) {
        if (str_eq(type, types[i].suffix))
            return types[i].word;
    }
    return type;
}

static void add_users(struct web_call *call, struct val *row, const struct val *secrets, str name)
{
    struct val *users = val_ensure_list(call->arena, row, S("usedBy"));
    struct val_iter it = val_iter(secrets);

    while (val_next(&it)) {
        str repo = object_name(it.value);
        if (str_eq(object_annotation(it.value, S("taut.dev/credential")), name) &&
            str_skip(&repo, S("repo-")))
            val_append(call->arena, users, val_string(call->arena, repo));
    }
}

static const struct list_sort credential_sorts[] = {
        {.word = "name", .member = "name"},
        {.word = "created", .member = "created"},
        {.word = "type", .member = "type"},
};
static const struct list_spec credential_list = {
        .search = (const char *const[]){"name", "alias", "description", "type", NULL},
        .sorts = credential_sorts,
        .sort_count = COUNT(credential_sorts),
};

static void on_listed(struct web_call *call, struct kube_response *response)
{
    struct val *rows;
    (void)web_items(call->arena, &rows);
    const struct val *items = val_get(response->object, S("items"));

    if (!response->ok) {
        web_reply_kube(call, response, "listing credentials");
        return;
    }
    struct val_iter it = val_iter(items);
    while (val_next(&it)) {
        str type = type_word(it.value);
        str username = data_text(call->arena, it.value, S("username"));
        if (type.len == 0)
            continue;
        struct val *row = val_append(call->arena, rows, val_map());
        web_take_words(call, row, it.value);
        val_set_str(call->arena, row, S("type"), type);
        if (username.len > 0)
            val_set_str(call->arena, row, S("username"), username);
        add_users(call, row, items, object_name(it.value));
    }
    list_reply(call, &credential_list, rows);
}

void web_credential_list(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_LIST, .gvr = web_gvr_secrets, .namespace_ = call->namespace_},
             on_listed);
}

/* ---- create ---- */

static void on_created(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "creating the credential");
        return;
    }
    struct val *row = val_new(call->arena, val_map());
    web_take_words(call, row, response->object);
    val_set_str(call->arena, row, S("type"), type_word(response->object));
    web_reply_val(call, 201, row);
}

static struct val *credential_object(struct web_call *call, struct err *err)
{
    struct arena *arena = call->arena;
    str name = web_body_str(call, S("name"));
    str type = web_body_str(call, S("type"));
    str secret = web_body_str(call, S("secret"));
    str username = web_body_str(call, S("username"));
    str passphrase = web_body_str(call, S("passphrase"));
    size_t i = 0;

    if (!web_check_name(S("a credential"), name, err))
        return NULL;
    while (i < COUNT(types) && !str_eq(types[i].word, type))
        i++;
    if (str_starts(name, S("repo-")))
        err_set(err, ERR_INVALID, "a credential's name may not begin with repo-");
    else if (i == COUNT(types))
        err_set(err, ERR_INVALID, "the type is basic, ssh or token, not '%.*s'", STR(type));
    else if (secret.len == 0)
        err_set(err, ERR_INVALID, "the credential's secret is empty");
    else if (username.len == 0 && str_eq(type, S("basic")))
        err_set(err, ERR_INVALID, "a credential of type basic needs a username");
    if (err->code != ERR_NONE)
        return NULL;

    struct val *object = web_object(arena, "v1", "Secret", name, call->namespace_);
    if (!web_add_words(call, object, err))
        return NULL;
    val_set_str(arena, object, S("type"), arena_join(arena, S(TYPE_PREFIX), types[i].suffix));
    struct val *data = val_ensure_map(arena, object, S("data"));
    if (types[i].has_username && username.len > 0)
        val_set_str(arena, data, S("username"), base64_encode(arena, username));
    val_set_str(arena, data, types[i].secret_key, base64_encode(arena, secret));
    if (passphrase.len > 0 && str_eq(type, S("ssh")))
        val_set_str(arena, data, S("passphrase"), base64_encode(arena, passphrase));
    return object;
}

void web_credential_create(struct web_call *call)
{
    struct err err = {0};
    struct val *object = credential_object(call, &err);

    if (object == NULL) {
        web_reply_err(call, &err);
        return;
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_CREATE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = call->namespace_,
                                    .body = object},
             on_created);
}

/* ---- edit: an empty value keeps what is stored; the type stays ---- */

static size_t type_index(const struct val *secret)
{
    str word = type_word(secret);
    size_t i = 0;

    while (i < COUNT(types) && !str_eq(types[i].word, word))
        i++;
    return i;
}

static void annotate(struct web_call *call, struct val *annotations, const char *key, str field)
{
    const struct val *value = val_get(call->body, field);

    if (value == NULL)
        return;
    val_set(call->arena, annotations, str_from(key),
            val_str(value).len == 0 ? val_null() : val_string(call->arena, val_str(value)));
}

static struct val *edit_patch(struct web_call *call, const struct val *secret)
{
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, patch, S("metadata"));
    struct val *annotations = val_ensure_map(arena, meta, S("annotations"));
    struct val *data = val_ensure_map(arena, patch, S("data"));
    size_t type = type_index(secret);
    str value = web_body_str(call, S("secret"));
    str username = web_body_str(call, S("username"));
    str passphrase = web_body_str(call, S("passphrase"));

    val_set_str(arena, meta, S("resourceVersion"), object_resource_version(secret));
    annotate(call, annotations, "kubesphere.io/alias-name", S("alias"));
    annotate(call, annotations, "kubesphere.io/description", S("description"));
    if (types[type].has_username && username.len > 0)
        val_set_str(arena, data, S("username"), base64_encode(arena, username));
    if (value.len > 0)
        val_set_str(arena, data, types[type].secret_key, base64_encode(arena, value));
    if (str_eq(types[type].word, S("ssh")) && passphrase.len > 0)
        val_set_str(arena, data, S("passphrase"), base64_encode(arena, passphrase));
    else if (str_eq(types[type].word, S("ssh")) && value.len > 0)
        val_set(arena, data, S("passphrase"), val_null()); /* it was the old key's */
    return patch;
}

static void on_edited(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "saving the credential");
        return;
    }
    struct val *row = val_new(call->arena, val_map());
    web_take_words(call, row, response->object);
    val_set_str(call->arena, row, S("type"), type_word(response->object));
    web_reply_val(call, 200, row);
}

static void on_editing(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND)
        web_reply_kube(call, response, "reading the credential");
    else if (!response->ok || type_index(response->object) == COUNT(types))
        web_fail(call, ERR_NOT_FOUND, "there is no credential '%.*s'", STR(call->params[1]));
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = call->namespace_,
                                        .name = call->params[1],
                                        .body = edit_patch(call, response->object)},
                 on_edited);
}

void web_credential_edit(struct web_call *call)
{
    struct err err = {0};

    if (!web_check_words(call, &err))
        web_reply_err(call, &err);
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_GET,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = call->namespace_,
                                        .name = call->params[1]},
                 on_editing);
}

/* ---- delete ---- */

static void on_deleted(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "deleting the credential");
        return;
    }
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[1]);
    web_reply_val(call, 200, done);
}

static str names_of(struct web_call *call, const struct val *users)
{
    str names = STR_EMPTY;

    for (size_t i = 0; i < val_count(users) && i < 5; i++)
        names = arena_printf(call->arena, "%.*s%s'%.*s'", STR(names), i > 0 ? ", " : "",
                             STR(val_str(val_item(users, i))));
    return val_count(users) > 5 ? arena_printf(call->arena, "%.*s, …", STR(names)) : names;
}

static void on_found(struct web_call *call, struct kube_response *response)
{
    const struct val *items = val_get(response->object, S("items"));
    struct val *row = val_new(call->arena, val_map());
    bool found = false;

    if (!response->ok) {
        web_reply_kube(call, response, "deleting the credential");
        return;
    }
    struct val_iter it = val_iter(items);
    while (val_next(&it))
        found |= str_eq(object_name(it.value), call->params[1]) && type_word(it.value).len > 0;
    add_users(call, row, items, call->params[1]);
    const struct val *users = val_get(row, S("usedBy"));
    if (!found)
        web_fail(call, ERR_NOT_FOUND, "there is no credential '%.*s'", STR(call->params[1]));
    else if (val_count(users) > 0)
        web_fail(call, ERR_CONFLICT,
                 "the credential is used by the code repositories %.*s; change these first",
                 STR(names_of(call, users)));
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_DELETE,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = call->namespace_,
                                        .name = call->params[1]},
                 on_deleted);
}

void web_credential_delete(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_LIST, .gvr = web_gvr_secrets, .namespace_ = call->namespace_},
             on_found);
}
