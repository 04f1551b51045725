/* SPDX-License-Identifier: Apache-2.0 */
/* Names, aliases and descriptions: the rules of PRODUCT section 1, and rows made of objects. */
#include "web/call.h"

#define NAME_MAX_LEN 63
#define ALIAS_MAX 63
#define DESCRIPTION_MAX 256

str web_body_str(const struct web_call *call, str key)
{
    return val_get_str(call->body, key);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool web_check_name(str what, str name, struct err *err)
{
    if (name.len == 0)
        return err_set(err, ERR_INVALID, "%.*s needs a name", STR(what));
    bool ok = name.len <= NAME_MAX_LEN && is_name_char(name.at[0]) &&
              is_name_char(name.at[name.len - 1]);
    for (size_t i = 0; ok && i < name.len; i++)
        ok = is_name_char(name.at[i]) || name.at[i] == '-';
    if (ok)
        return true;
    return err_set(err, ERR_INVALID,
                   "'%.*s' cannot name %.*s: at most 63 lower-case letters, digits and hyphens, "
                   "beginning and ending with a letter or digit",
                   STR(name), STR(what));
}

/* Characters, not bytes; control characters are refused. */
static bool check_text(str what, str text, size_t max, struct err *err)
{
    size_t characters = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < ' ' || c == 0x7f)
            return err_set(err, ERR_INVALID, "the %.*s has a control character", STR(what));
        characters += (c & 0xc0) != 0x80;
    }
    if (characters > max)
        return err_set(err, ERR_INVALID, "the %.*s has more than %zu characters", STR(what), max);
    return true;
}

bool web_check_words(const struct web_call *call, struct err *err)
{
    return check_text(S("alias"), web_body_str(call, S("alias")), ALIAS_MAX, err) &&
           check_text(S("description"), web_body_str(call, S("description")), DESCRIPTION_MAX, err);
}

bool web_add_words(struct web_call *call, struct val *object, struct err *err)
{
    str alias = web_body_str(call, S("alias"));
    str description = web_body_str(call, S("description"));
    struct val *annotations = val_ensure_map(
            call->arena, val_ensure_map(call->arena, object, S("metadata")), S("annotations"));

    if (!web_check_words(call, err))
        return false;
    if (alias.len > 0)
        val_set_str(call->arena, annotations, S("kubesphere.io/alias-name"), alias);
    if (description.len > 0)
        val_set_str(call->arena, annotations, S("kubesphere.io/description"), description);
    val_set_str(call->arena, annotations, S("kubesphere.io/creator"), call->user.name);
    return true;
}

static void take(struct web_call *call, struct val *row, str key, str text)
{
    if (text.len > 0)
        val_set_str(call->arena, row, key, text);
}

void web_take_words(struct web_call *call, struct val *row, const struct val *object)
{
    val_set_str(call->arena, row, S("name"), object_name(object));
    take(call, row, S("alias"), object_annotation(object, S("kubesphere.io/alias-name")));
    take(call, row, S("description"), object_annotation(object, S("kubesphere.io/description")));
    take(call, row, S("creator"), object_annotation(object, S("kubesphere.io/creator")));
    take(call, row, S("created"), VAL_STR(object, "metadata", "creationTimestamp"));
}

struct val *web_object(struct arena *arena, const char *api_version, const char *kind, str name,
                       str namespace_)
{
    struct val *object = val_new(arena, val_map());

    val_set_str(arena, object, S("apiVersion"), str_from(api_version));
    val_set_str(arena, object, S("kind"), str_from(kind));
    struct val *meta = val_ensure_map(arena, object, S("metadata"));
    val_set_str(arena, meta, S("name"), name);
    if (namespace_.len > 0)
        val_set_str(arena, meta, S("namespace"), namespace_);
    return object;
}

struct val *web_items(struct arena *arena, struct val **ret_items)
{
    struct val *list = val_new(arena, val_map());

    *ret_items = val_ensure_list(arena, list, S("items"));
    return list;
}
