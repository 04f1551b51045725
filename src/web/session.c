/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of people in browsers. The session's id travels in a cookie that scripts cannot read and
 * that other sites cannot send; a write must carry a header of our own besides, which a form of
 * another site cannot set.
 */
#include "web/session.h"

#define COOKIE_TLS "__Host-taut-session"
#define COOKIE_PLAIN "taut-session"
#define WRITE_HEADER "X-Taut-Request"

static const char *cookie_name(const struct http_request *request)
{
    /* The browser promises more for the __Host- name, and takes it over TLS only. */
    return request->is_tls ? COOKIE_TLS : COOKIE_PLAIN;
}

str web_session_id(const struct http_request *request)
{
    str cookies = http_header(request, S("Cookie"));
    str wanted = str_from(cookie_name(request));
    str part;

    while (str_split(&cookies, ';', &part)) {
        part = str_trim(part);
        if (str_skip(&part, wanted) && str_skip(&part, S("=")))
            return part;
    }
    return STR_EMPTY;
}

bool web_session_allows(const struct http_request *request, struct err *err)
{
    bool is_read = str_eq(request->method, S("GET")) || str_eq(request->method, S("HEAD"));

    if (is_read || http_header(request, S(WRITE_HEADER)).len > 0)
        return true;
    return err_set(err, ERR_FORBIDDEN,
                   "a write with a session needs the header " WRITE_HEADER ": 1");
}

static void reply(struct web_call *call, str id, const char *life, const struct val *body)
{
    const char *secure = call->request->is_tls ? "; Secure" : "";
    str cookie =
            arena_printf(call->arena, "%s=%.*s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%s%s",
                         cookie_name(call->request), STR(id), life, secure);

    web_reply_cookie(call, cookie, body);
}

static void on_login(void *owner, const struct secret *id, const struct err *err)
{
    struct web_call *call = owner;
    struct val *body = val_new(call->arena, val_map());

    call->login = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    _Static_assert(AUTH_SESSION_DAYS == 7, "Max-Age below is the same in seconds");
    val_set_str(call->arena, body, S("user"), web_body_str(call, S("username")));
    reply(call, secret_reveal(id), "604800", body);
}

/* Who is logged in here, "" = nobody: so that a page can ask without an error. */
void web_session_get(struct web_call *call)
{
    struct auth_user user = {.name = STR_EMPTY};
    struct val *body = val_new(call->arena, val_map());

    if (!auth_check_session(call->web->options.auth, web_session_id(call->request), &user, NULL))
        user.name = STR_EMPTY;
    val_set_str(call->arena, body, S("user"), user.name);
    web_reply_val(call, 200, body);
}

void web_session_create(struct web_call *call)
{
    str name = web_body_str(call, S("username"));
    str password = web_body_str(call, S("password"));
    struct err err = {0};

    if (!web_session_allows(call->request, &err)) {
        web_reply_err(call, &err);
        return;
    }
    call->login = auth_log_in(call->web->options.auth, name, password, call->request->peer,
                              on_login, call);
}

void web_session_delete(struct web_call *call)
{
    struct err err = {0};

    if (!web_session_allows(call->request, &err)) {
        web_reply_err(call, &err);
        return;
    }
    auth_log_out(call->web->options.auth, web_session_id(call->request));
    reply(call, STR_EMPTY, "0", val_new(call->arena, val_map()));
}
