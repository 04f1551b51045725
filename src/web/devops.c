/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DevOps Projects: namespace NAME with our label, and AppProject NAME in the control namespace
 * (PRODUCT section 1). `default` is the control namespace with project `default`.
 */
#include "web/devops.h"
#include "base/map.h"
#include "web/list.h"
#include "web/people.h"

struct devops_state {
    const struct val *projects;
    struct val *rows;
    struct val *list;
    str name;
    struct val *row;
};

static str project_location(struct arena *arena, const struct val *destination)
{
    str cluster = val_get_str(destination, S("name"));
    str project = val_get_str(destination, S("namespace"));

    if (cluster.len == 0)
        cluster = val_get_str(destination, S("server"));
    return arena_printf(arena, "%.*s/%.*s", STR(cluster), STR(project));
}

struct val *devops_row(struct web_call *call, const struct val *object, str name,
                       const struct val *project)
{
    struct arena *arena = call->arena;
    struct val *row = val_new(arena, val_map());
    const struct val *spec = val_get(project, S("spec"));

    web_take_words(call, row, object);
    val_set_str(arena, row, S("name"), name);
    val_set_str(arena, row, S("namespace"), object_name(object));
    struct val *repos = val_ensure_list(arena, row, S("repos"));
    struct val_iter it = val_iter(val_get(spec, S("sourceRepos")));
    while (val_next(&it))
        val_append(arena, repos, val_string(arena, val_str(it.value)));
    struct val *locations = val_ensure_list(arena, row, S("locations"));
    it = val_iter(val_get(spec, S("destinations")));
    while (val_next(&it))
        val_append(arena, locations, val_string(arena, project_location(arena, it.value)));
    val_set(arena, row, S("clusterResources"),
            val_bool(val_count(val_get(spec, S("clusterResourceWhitelist"))) > 0));
    return row;
}

/* ---- list ---- */

static const struct list_sort devops_sorts[] = {
        {.word = "name", .member = "name"},
        {.word = "created", .member = "created"},
        {.word = "applications", .member = "applications", .is_number = true},
};
static const struct list_spec devops_list = {
        .search = (const char *const[]){"name", "alias", "description", NULL},
        .sorts = devops_sorts,
        .sort_count = COUNT(devops_sorts),
};

struct roles {
    str user;
    struct map *found; /* namespace → the role's word, static */
};

static void note_role(void *owner, const struct auth_member *member)
{
    struct roles *roles = owner;
    str word = auth_project_role_name(member->role);

    if (str_eq(member->kind, S("User")) && str_eq(member->name, roles->user))
        map_set(roles->found, member->namespace_, (void *)(uintptr_t)word.at);
}

/* What a page lists beside the project itself: my role, its deployments by health. */
static void add_counts(struct web_call *call, struct val *row, const struct map *roles,
                       const struct map *counts)
{
    str namespace_ = val_get_str(row, S("namespace"));
    const char *role = map_get(roles, namespace_);
    const struct val *health = map_get(counts, namespace_);
    struct val_iter it = val_iter(health);
    int64_t total = 0;

    if (role != NULL)
        val_set_str(call->arena, row, S("role"), str_from(role));
    if (health != NULL)
        val_set(call->arena, row, S("health"), *health);
    while (val_next(&it))
        total += val_i64_or(it.value, 0);
    val_set(call->arena, row, S("applications"), val_int(call->arena, total));
}

static void on_listed_namespaces(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;
    str control = call->web->options.control_namespace;
    auto_map struct map *projects = map_new();
    auto_map struct map *roles = map_new();
    auto_map struct map *counts = map_new();

    if (!response->ok) {
        web_reply_kube(call, response, "listing DevOps Projects");
        return;
    }
    auth_each_member(call->web->options.auth, STR_EMPTY, note_role,
                     &(struct roles){call->user.name, roles});
    (void)list_apps_counts(call->web->apps, call->arena, counts);
    struct val_iter each = val_iter(val_get(state->projects, S("items")));
    while (val_next(&each))
        map_set(projects, object_name(each.value), each.value);
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        str name = object_label(it.value, S(WEB_DEVOPS_LABEL));
        bool is_control = str_eq(object_name(it.value), control);
        if (is_control)
            name = S("default");
        bool is_one = is_control || (name.len > 0 && str_eq(name, object_name(it.value)));
        if (!is_one || !auth_is_member(call->web->options.auth, &call->user, object_name(it.value)))
            continue;
        struct val *row = devops_row(call, it.value, name, map_get(projects, name));
        add_counts(call, row, roles, counts);
        val_append(call->arena, state->rows, *row);
    }
    list_reply(call, &devops_list, state->rows);
}

static void on_listed_projects(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "listing projects");
        return;
    }
    state->projects = val_dup(call->arena, response->object);
    web_kube(call, &(struct kube_request){.verb = KUBE_LIST, .gvr = web_gvr_namespaces},
             on_listed_namespaces);
}

void web_devops_list(struct web_call *call)
{
    struct devops_state *state = arena_new0(call->arena, struct devops_state);

    call->state = state;
    state->list = web_items(call->arena, &state->rows);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace},
             on_listed_projects);
}

/* ---- get ---- */

static void on_got_namespace(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;

    if (!response->ok)
        web_reply_kube(call, response, "reading the DevOps Project");
    else
        web_reply_val(call, 200,
                      devops_row(call, response->object, call->params[0], state->projects));
}

static void on_got_project(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "reading the DevOps Project");
        return;
    }
    state->projects = val_dup(call->arena, response->object);
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_GET, .gvr = web_gvr_namespaces, .name = call->namespace_},
             on_got_namespace);
}

void web_devops_get(struct web_call *call)
{
    call->state = arena_new0(call->arena, struct devops_state);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = call->params[0]},
             on_got_project);
}

/* ---- create: look, AppProject, namespace; the project goes again if the namespace fails ---- */

static bool is_reserved(const struct web_call *call, str name)
{
    return str_eq(name, S("default")) || str_eq(name, S(AUTH_SYSTEM_NAMESPACE)) ||
           str_eq(name, call->web->options.control_namespace) || str_starts(name, S("kube-"));
}

static bool add_location(struct web_call *call, struct val *destinations, str text, struct err *err)
{
    struct arena *arena = call->arena;
    size_t slash = str_rfind_char(text, '/'); /* an address has more of them */

    if (slash == SIZE_MAX || slash == 0 || slash + 1 == text.len)
        return err_set(err, ERR_INVALID,
                       "the location '%.*s' is not CLUSTER/PROJECT, such as sandbox/*", STR(text));
    struct val *row = val_append(arena, destinations, val_map());
    str cluster = str_first(text, slash);
    val_set_str(arena, row, str_contains(cluster, S("://")) ? S("server") : S("name"), cluster);
    val_set_str(arena, row, S("namespace"), str_from_index(text, slash + 1));
    return true;
}

static bool add_texts(struct web_call *call, struct val *list, const struct val *wanted,
                      struct err *err)
{
    struct val_iter it = val_iter(wanted);

    while (val_next(&it)) {
        str text = str_trim(val_str(it.value));
        if (text.len == 0 || text.len > 1024)
            return err_set(err, ERR_INVALID, "an entry of the allowlist is empty or too long");
        val_append(call->arena, list, val_string(call->arena, text));
    }
    return true;
}

bool devops_allowlist(struct web_call *call, struct val *spec, struct err *err)
{
    struct arena *arena = call->arena;
    const struct val *repos = val_get(call->body, S("repos"));
    const struct val *locations = val_get(call->body, S("locations"));
    const struct val *kinds = val_get(call->body, S("clusterResources"));

    if (val_count(repos) > LIMIT_ALLOWLIST || val_count(locations) > LIMIT_ALLOWLIST)
        return err_set(err, ERR_INVALID, "an allowlist has at most %d entries", LIMIT_ALLOWLIST);
    if (repos != NULL &&
        !add_texts(call, val_ensure_list(arena, spec, S("sourceRepos")), repos, err))
        return false;
    if (locations != NULL) {
        struct val *destinations = val_ensure_list(arena, spec, S("destinations"));
        struct val_iter it = val_iter(locations);
        while (val_next(&it)) {
            if (!add_location(call, destinations, str_trim(val_str(it.value)), err))
                return false;
        }
    }
    if (kinds == NULL)
        return true;
    struct val *list = val_ensure_list(arena, spec, S("clusterResourceWhitelist"));
    if (val_is_true(kinds)) {
        struct val *all = val_append(arena, list, val_map());
        val_set_str(arena, all, S("group"), S("*"));
        val_set_str(arena, all, S("kind"), S("*"));
    }
    return true;
}

/* What nobody said is all repositories and all locations; no location is refused. */
static bool add_defaults(struct web_call *call, struct val *spec, struct err *err)
{
    struct arena *arena = call->arena;
    const struct val *locations = val_get(call->body, S("locations"));

    if (locations != NULL && val_count(locations) == 0)
        return err_set(err, ERR_INVALID,
                       "a DevOps Project needs at least one deployment location, such as "
                       "sandbox/*");
    if (val_get(call->body, S("repos")) == NULL)
        val_append(arena, val_ensure_list(arena, spec, S("sourceRepos")),
                   val_string(arena, S("*")));
    if (locations == NULL) {
        struct val *row =
                val_append(arena, val_ensure_list(arena, spec, S("destinations")), val_map());
        val_set_str(arena, row, S("name"), S("*"));
        val_set_str(arena, row, S("namespace"), S("*"));
    }
    return true;
}

static struct val *project_object(struct web_call *call, str name, struct err *err)
{
    struct arena *arena = call->arena;
    struct val *project = web_object(arena, "argoproj.io/v1alpha1", "AppProject", name,
                                     call->web->options.control_namespace);
    struct val *spec = val_ensure_map(arena, project, S("spec"));

    val_set_str(arena, spec, S("description"), web_body_str(call, S("description")));
    if (!devops_allowlist(call, spec, err) || !add_defaults(call, spec, err))
        return NULL;
    val_append(arena, val_ensure_list(arena, spec, S("sourceNamespaces")), val_string(arena, name));
    return project;
}

static void on_taken_back(struct web_call *call, UNUSED struct kube_response *response)
{
    web_fail(call, ERR_CONFLICT, "the project's namespace '%.*s' could not be made",
             STR(web_body_str(call, S("name"))));
}

static void reply_made(struct web_call *call)
{
    const struct devops_state *state = call->state;
    web_reply_val(call, 201, state->row);
}

static bool is_member(struct web_call *call)
{
    const struct devops_state *state = call->state;
    return auth_is_member(call->web->options.auth, &call->user, state->name);
}

static void on_bound(struct web_call *call)
{
    web_when_known(call, is_member, reply_made);
}

/* Who makes it becomes its admin; a platform admin needs no binding for that. */
static void bind_creator(struct web_call *call)
{
    const struct devops_state *state = call->state;
    struct binding_edit *edit = arena_new0(call->arena, struct binding_edit);

    *edit = (struct binding_edit){
            .namespace_ = state->name,
            .name = arena_join(call->arena, S("admin-"), call->user.name),
            .role = auth_project_role_object(AUTH_ADMIN),
            .add = true,
    };
    web_edit_bindings(call, call->user.name, edit, 1, on_bound);
}

static void on_made_namespace(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;

    if (response->ok) {
        state->row = devops_row(call, val_dup(call->arena, response->object), state->name,
                                state->projects);
        if (web_is_admin(call))
            reply_made(call);
        else
            bind_creator(call);
        return;
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_DELETE,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = state->name},
             on_taken_back);
}

static void on_made_project(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "creating the DevOps Project");
        return;
    }
    state->projects = val_dup(call->arena, response->object);
    struct val *namespace_ = web_object(call->arena, "v1", "Namespace", state->name, STR_EMPTY);
    struct val *meta = val_get(namespace_, S("metadata"));
    val_set_str(call->arena, val_ensure_map(call->arena, meta, S("labels")), S(WEB_DEVOPS_LABEL),
                state->name);
    if (!web_add_words(call, namespace_, &err)) {
        web_reply_err(call, &err); /* checked before; cannot happen here */
        return;
    }
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_CREATE, .gvr = web_gvr_namespaces, .body = namespace_},
             on_made_namespace);
}

static void on_looked(struct web_call *call, struct kube_response *response)
{
    struct devops_state *state = call->state;
    struct err err = {0};
    struct val *project;

    if (response->ok) {
        bool ours = object_label(response->object, S(WEB_DEVOPS_LABEL)).len > 0;
        web_fail(call, ERR_EXISTS,
                 ours ? "the DevOps Project '%.*s' exists already"
                      : "a namespace '%.*s' exists that is no DevOps Project; "
                        "choose another name",
                 STR(state->name));
        return;
    }
    if (response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "creating the DevOps Project");
        return;
    }
    project = project_object(call, state->name, &err);
    if (project == NULL) {
        web_reply_err(call, &err);
        return;
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_CREATE,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .body = project},
             on_made_project);
}

void web_devops_create(struct web_call *call)
{
    struct devops_state *state = arena_new0(call->arena, struct devops_state);
    struct err err = {0};

    call->state = state;
    state->name = web_body_str(call, S("name"));
    if (!web_check_name(S("a DevOps Project"), state->name, &err) ||
        !web_add_words(call, val_new(call->arena, val_map()), &err)) {
        web_reply_err(call, &err);
    } else if (is_reserved(call, state->name)) {
        web_fail(call, ERR_INVALID, "the name '%.*s' is reserved", STR(state->name));
    } else {
        web_kube(call,
                 &(struct kube_request){
                         .verb = KUBE_GET, .gvr = web_gvr_namespaces, .name = state->name},
                 on_looked);
    }
}

/* ---- delete: only when no deployment is left ---- */

static void on_deleted_namespace(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "deleting the DevOps Project's namespace");
        return;
    }
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[0]);
    web_reply_val(call, 200, done);
}

static void on_deleted_project(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "deleting the DevOps Project");
        return;
    }
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_DELETE, .gvr = web_gvr_namespaces, .name = call->params[0]},
             on_deleted_namespace);
}

/* "a, b, c, …" */
static str first_names(struct arena *arena, const struct val *items)
{
    str text = STR_EMPTY;

    for (size_t i = 0; i < MIN(val_count(items), (size_t)5); i++)
        text = arena_printf(arena, "%.*s%s%.*s", STR(text), i > 0 ? ", " : "",
                            STR(object_name(val_item(items, i))));
    return val_count(items) > 5 ? arena_join(arena, text, S(", …")) : text;
}

static void on_counted(struct web_call *call, struct kube_response *response)
{
    const struct val *items = val_get(response->object, S("items"));
    size_t count = val_count(items);

    if (!response->ok) {
        web_reply_kube(call, response, "listing the project's deployments");
    } else if (count > 0) {
        web_fail(call, ERR_CONFLICT,
                 "the DevOps Project still holds %zu continuous deployment%s (%.*s); delete "
                 "them first",
                 count, count == 1 ? "" : "s", STR(first_names(call->arena, items)));
    } else {
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_DELETE,
                                        .gvr = web_gvr_projects,
                                        .namespace_ = call->web->options.control_namespace,
                                        .name = call->params[0]},
                 on_deleted_project);
    }
}

void web_devops_delete(struct web_call *call)
{
    if (str_eq(call->params[0], S("default"))) {
        web_fail(call, ERR_INVALID, "the DevOps Project 'default' cannot be deleted");
        return;
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_},
             on_counted);
}
