/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The engine's own struct, for engine*.c and preview*.c alone. */
#include "base/map.h"
#include "engine/app.h"
#include "engine/bootstrap.h"
#include "engine/claims.h"
#include "engine/destinations.h"
#include "engine/engine.h"
#include "engine/event_log.h"

struct engine {
    struct engine_options options;
    str control_namespace;
    str installation;
    struct app_context context;
    struct bootstrap *bootstrap;
    engine_started_fn *started;
    void *started_owner;
    struct settings *settings;
    struct repos *repos;
    struct destinations *destinations;
    struct verdicts *verdicts;
    struct claims *claims;
    struct event_log *events;
    struct reflector *projects;
    struct reflector *applications;
    struct map *apps;        /* "namespace/name" → struct app */
    struct map *by_label;    /* mark label → struct app */
    struct map *by_instance; /* mark instance → struct app */
    struct loop_task *poke;  /* all applications look again */
    struct engine_ask *asks;
    struct engine_listener *listeners;
    struct engine_preview *previews;
};

struct engine_listener {
    struct engine_listener *next;
    engine_listener_fn *fn;
    void *owner;
};
void engine_tell(const struct engine *engine, const struct app *app); /* the listeners */

struct app *engine_app(const struct engine *engine, str namespace_, str name);
/* preview.c: lists, clusters or watches changed. */
void engine_preview_poke(struct engine *engine);
