/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Every maximum, with its reason. docs/limits.md lists them for users; a test holds the two equal.
 * Going over one is an error that names the limit, never a crash and never a silent cut.
 */

#define LIMIT_KIB ((size_t)1024)
#define LIMIT_MIB ((size_t)1024 * 1024)

/* A person reads it; longer texts from servers are kept elsewhere. */
#define LIMIT_ERR_MESSAGE 2048

/* One log line. */
#define LIMIT_LOG_LINE 4096

/* Nesting of JSON and YAML; Kubernetes objects stay below 50. */
#define LIMIT_DOC_DEPTH 200

/* Bytes of one JSON or YAML document given to a parser. */
#define LIMIT_DOC_BYTES (64 * LIMIT_MIB)

/* Nodes that aliases of one YAML stream may expand to (alias bombs). */
#define LIMIT_YAML_ALIAS_NODES 1000000

/* Bytes of one file read from a repository. */
#define LIMIT_FILE_BYTES (16 * LIMIT_MIB)

/* Bytes of one HTTP request body that our server takes; as kube-apiserver. */
#define LIMIT_REQUEST_BYTES (3 * LIMIT_MIB)

/* Bytes of one answer that our HTTP client keeps in memory; lists are paged below it. */
#define LIMIT_RESPONSE_BYTES (64 * LIMIT_MIB)

/* Arena of one render. */
#define LIMIT_RENDER_ARENA (1024 * LIMIT_MIB)

/* Rendered output of one application. */
#define LIMIT_RENDER_BYTES (64 * LIMIT_MIB)

/* Objects in one rendered set. */
#define LIMIT_RENDER_OBJECTS 20000

/* Combined bytes of the manifests of a directory; as Argo CD. */
#define LIMIT_DIRECTORY_BYTES (10 * LIMIT_MIB)

/* Rounds and sources of a render that asks for remote bases. */
#define LIMIT_RENDER_ROUNDS 10
#define LIMIT_RENDER_SOURCES 50

/* Remote bases that are watched for the deployments of one repository; of more, a change is seen
 * when a deployment asks. */
#define LIMIT_SOURCE_BASES 200

/* Wall time of one render, in milliseconds. */
#define LIMIT_RENDER_MS 60000

/* Previews that are computed at once, and the wall time of one in milliseconds: a person waits. */
#define LIMIT_PREVIEWS 16
#define LIMIT_PREVIEW_MS 90000

/* Code repositories whose last connection is remembered. */
#define LIMIT_REPO_STATES 10000

/* Branches, tags and projects that one answer to a picker holds. */
#define LIMIT_REFS_SHOWN 20000
#define LIMIT_PROJECTS_SHOWN 10000

/* Arguments of one command line. */
#define LIMIT_CLI_ARGUMENTS 1000

/* Request line and headers of one request; long cookies and tokens need room. */
#define LIMIT_HTTP_HEADER_BYTES (16 * LIMIT_KIB)

/* Query parameters and headers of one request. */
#define LIMIT_HTTP_PAIRS 200

/* Connections to one port of our server. */
#define LIMIT_HTTP_CONNECTIONS 4000

/* A connection without a request or without progress is closed after so many seconds. */
#define LIMIT_HTTP_IDLE_S 75

/* Bytes that may wait in one stream for a slow client. */
#define LIMIT_HTTP_STREAM_BYTES (16 * LIMIT_MIB)
/* A path inside a repository; as Linux. */
#define LIMIT_PATH 4096

/* Entries of one directory of a repository, and how deep directories may nest. */
#define LIMIT_TREE_ENTRIES 50000
#define LIMIT_TREE_DEPTH 128

/* Files and directory listings that one render holds of one revision. */
#define LIMIT_TREE_ARENA (256 * LIMIT_MIB)

/* Paths in which two commits may differ; beyond it every deployment is rendered anew. */
#define LIMIT_TREE_CHANGES 100000

/* Folders that one listing of a folder tells; a person types on. */
#define LIMIT_TREE_FOLDERS 2000

/* The kernel's list of our children, read when one ended: some 8,000 of them. */
#define LIMIT_PROCESS_CHILDREN_BYTES (64 * LIMIT_KIB)

/* Operations of one JSON patch; as kube-apiserver. */
#define LIMIT_JSON_PATCH_OPERATIONS 10000

/* Bytes of one glob pattern, and its alternatives once {a,b} is written out. */
#define LIMIT_GLOB_PATTERN 1024
#define LIMIT_GLOB_ALTERNATIVES 256

/* Requirements of one label or field selector. */
#define LIMIT_SELECTOR_REQUIREMENTS 100

/* Problems that are told of one object; more are only counted. */
#define LIMIT_SCHEMA_PROBLEMS 50
/* Memory that the handling of one request may take: the body's tree, its answer's parts. */
#define LIMIT_HTTP_REQUEST_ARENA (64 * LIMIT_MIB)

/* What control and a render process say to each other: settings of one source, and its answer. */
#define LIMIT_RENDER_REQUEST (8 * LIMIT_MIB)
#define LIMIT_RENDER_ANSWER (2 * LIMIT_RENDER_BYTES)

/* Paths that one render looks at, and warnings that it gives. */
#define LIMIT_RENDER_READS 200000
#define LIMIT_RENDER_WARNINGS 1000

/* Address space of one render process. */
#define LIMIT_RENDER_MEMORY (3072 * LIMIT_MIB)

/* Files that are looked at for one plain directory. */
#define LIMIT_DIRECTORY_FILES 20000
/* Requests to one API server in flight: two connections with the streams that servers allow. */
#define LIMIT_HTTP_CALLS_IN_FLIGHT 160

/* A kubeconfig with its embedded certificates; hundreds of contexts fit. */
#define LIMIT_KUBECONFIG_BYTES (4 * LIMIT_MIB)

/* One event of a watch: etcd takes objects of 1.5 MiB, and JSON may double them. */
#define LIMIT_WATCH_EVENT_BYTES (8 * LIMIT_MIB)

/* Kinds, and group versions, that one API server may serve; large clusters have some 1,000. */
#define LIMIT_DISCOVERY_KINDS 20000
#define LIMIT_DISCOVERY_VERSIONS 2000
/* Password checks at once and waiting: each takes 64 MiB and tens of milliseconds on purpose. */
#define LIMIT_PASSWORD_CHECKS 2
#define LIMIT_PASSWORD_WAITING 4
#define LIMIT_PASSWORD_BYTES 1024
/* Repositories or locations in the allowlist of one DevOps Project that a request may set. */
#define LIMIT_ALLOWLIST 500
/* Answers of a real home about rights that are remembered for some seconds; beyond, all are
 * forgotten. */
#define LIMIT_AUTH_REVIEWS 4096
/* The name of a user's Secret, a Kubernetes name of at most 253 characters. */
#define LIMIT_USER_OBJECT 254
/* Changes that a watch of the embedded API can go back to, and their bytes; older is 410 Gone and a
 * new list. */
#define LIMIT_WATCH_HISTORY_EVENTS 10000
#define LIMIT_WATCH_HISTORY_BYTES (8 * LIMIT_MIB)

/* Arena of one object of the embedded API: a request body's tree and its copies. */
#define LIMIT_OBJECT_ARENA (64 * LIMIT_MIB)

/* Arena of one answered list of the embedded API. */
#define LIMIT_LIST_ARENA (512 * LIMIT_MIB)

/* One transaction of the embedded store: more in one turn is committed in parts. */
#define LIMIT_COMMIT_WRITES 500
#define LIMIT_COMMIT_BYTES (4 * LIMIT_MIB)

/* Bytes of one stored object; etcd's default for a request is 1.5 MiB. */
#define LIMIT_OBJECT_BYTES (3 * LIMIT_MIB / 2)
/* One password, token or key that a person gives; keys of 16,384 bits stay below. */
#define LIMIT_CREDENTIAL_BYTES (64 * LIMIT_KIB)
/* The URL of a repository. */
#define LIMIT_URL 2048

/* Refs of one repository; the largest public ones have about 100,000. */
#define LIMIT_GIT_REFS 200000

/* What git may say on its standard output (a listing of refs) and error output. */
#define LIMIT_GIT_OUTPUT (48 * LIMIT_MIB)
#define LIMIT_GIT_WORDS (64 * LIMIT_KIB)

/* One fetch: the largest file that it may write, its time; the time of a listing of refs. */
#define LIMIT_FETCH_BYTES (2048 * LIMIT_MIB)
#define LIMIT_FETCH_MS 300000
#define LIMIT_LIST_MS 60000

/* Address space of git while it fetches: packs are mapped into memory. */
#define LIMIT_FETCH_MEMORY (6144 * LIMIT_MIB)

/* Memory of all processes of one fetch together, and the bytes of its cache on the disk; sampled
 * twice a second. */
#define LIMIT_FETCH_RESIDENT (3072 * LIMIT_MIB)
#define LIMIT_CACHE_BYTES (4096 * LIMIT_MIB)

/* Files that are counted for one such sample of a folder; a cache has some hundred. */
#define LIMIT_TOTALS_ENTRIES 50000

/* Free disk that a fetch must leave. */
#define LIMIT_DISK_RESERVE (256 * LIMIT_MIB)

/* Redirects of one repository that are followed. */
#define LIMIT_GIT_REDIRECTS 5

/* Packs of a cache before it is fetched anew into another directory. */
#define LIMIT_GIT_PACKS 50
/* Bytes of one regular expression; people write less than 200. */
#define LIMIT_REGEX_BYTES 4096

/* Connections to one simulated node port at a time, and bytes of a request on it. */
#define LIMIT_SANDBOX_CONNECTIONS 64
#define LIMIT_SANDBOX_REQUEST (8 * LIMIT_KIB)

/* Arena of one reconcile of a simulated controller. */
#define LIMIT_SANDBOX_ARENA (64 * LIMIT_MIB)
/* Rules of one role and subjects of one binding that count; the largest known roles have 300. */
#define LIMIT_RBAC_RULES 5000
#define LIMIT_RBAC_SUBJECTS 5000

/* Rendered sets that are kept: in memory, in one file, in all files. Without them it is slower. */
#define LIMIT_STORE_MEMORY (48 * LIMIT_MIB)
#define LIMIT_STORE_FILE (8 * LIMIT_MIB)
#define LIMIT_STORE_DISK (512 * LIMIT_MIB)

/* One sentence about an object that is kept of it: why a Pod does not start, a Warning. */
#define LIMIT_CAUSE_BYTES 200

/* Texts made while a Pod is reduced to what is kept of it. */
#define LIMIT_CHILD_ARENA (256 * LIMIT_KIB)

/* Warnings that are kept of one cluster; Kubernetes forgets them after an hour. */
#define LIMIT_CLUSTER_WARNINGS 20000

/* ReplicaSets, Pods and Jobs that the tree of one application shows; more are only counted. */
#define LIMIT_APP_CHILDREN 5000

/* Events that the page of one deployment lists, and projects that they are collected from: more
 * than a person reads. */
#define LIMIT_EVENTS 2000
#define LIMIT_EVENT_NAMESPACES 50

/* Lines and bytes of one look at a container's log: what a page keeps. */
#define LIMIT_LOG_LINES 50000
#define LIMIT_LOG_BYTES (16 * LIMIT_MIB)

/* Services that the Services page lists. */
#define LIMIT_SERVICES 2000

/* Owners between a Pod and the object of an application that made it. */
#define LIMIT_OWNER_DEPTH 8

/* Rows of one answer of a list, values of one facet that are counted, and characters of a text that
 * a row cuts (the whole is on the deployment's page). */
#define LIMIT_LIST_ROWS 50000
#define LIMIT_LIST_FACET_VALUES 200
#define LIMIT_LIST_TEXT 500

/* Texts that one search looks at: 50,000 rows of 1 KiB. */
#define LIMIT_LIST_SEARCH (64 * LIMIT_MIB)

/* Events of the stream that can be caught up with after a break, and their bytes. */
#define LIMIT_STREAM_EVENTS 10000
#define LIMIT_STREAM_BYTES (16 * LIMIT_MIB)

/* What may change of one topic between two frames; more, and the topic is sent whole. */
#define LIMIT_STREAM_PATCH (8 * LIMIT_MIB)

/* Topics that are open at once, in all and for one page; pages that are open, in all and of one
 * user. */
#define LIMIT_STREAM_TOPICS 5000
#define LIMIT_STREAM_TOPICS_OF_CLIENT 64
#define LIMIT_STREAM_CLIENTS 1000
#define LIMIT_STREAM_CLIENTS_OF_USER 50
/* Milliseconds until a list over all namespaces that was forbidden is tried anew. */
#define LIMIT_FORBIDDEN_AGAIN_MS 600000

/* The path of one field, for people: deeper ones are cut. */
#define LIMIT_FIELD_PATH (16 * LIMIT_KIB)

/* Events of applications that wait to be written, and the memory of one. */
#define LIMIT_EVENTS_PENDING 5000
#define LIMIT_EVENT_ARENA (64 * LIMIT_KIB)

/* Requests to one cluster in flight, by kind. Dry runs as ENGINE section 5; a server works on about
 * as many writes as it has cores, more only wait there. */
#define LIMIT_CLUSTER_READS 32
#define LIMIT_CLUSTER_DRY_RUNS 16
#define LIMIT_CLUSTER_WRITES 24

/* Times that a request is sent again after a 429. */
#define LIMIT_ASK_RETRIES 6

/* One answer of an API server; its own limit for a request is a minute. */
#define LIMIT_KUBE_CALL_MS 30000

/* Objects of one page of a list; as client-go. */
#define LIMIT_LIST_PAGE 500

/* An error that stands where a watch was expected. */
#define LIMIT_ERROR_BODY (64 * LIMIT_KIB)

/* Keys made of groups, kinds, namespaces and names, each below 1 KiB. */
#define LIMIT_KEY_ARENA (64 * LIMIT_KIB)

/* The tree of one Application: etcd takes 1.5 MiB, a tree is some five times its text. */
#define LIMIT_APP_ARENA (16 * LIMIT_MIB)

/* The parts of a status that are to be written, and the patch with them: 20,000 resources fit. */
#define LIMIT_STATUS_ARENA (64 * LIMIT_MIB)

/* The tree of one AppProject, repository, settings ConfigMap, or page of a look. */
#define LIMIT_SETTINGS_ARENA (4 * LIMIT_MIB)

/* What is kept of one Secret; Kubernetes takes 1 MiB. */
#define LIMIT_SECRET_ARENA (4 * LIMIT_MIB)

/* The definitions that the home must serve, while they are applied, and the wait until it does. */
#define LIMIT_BOOTSTRAP_ARENA (16 * LIMIT_MIB)
#define LIMIT_BOOTSTRAP_SERVE_MS 30000

/* One comparison: a row for each of 20,000 objects. */
#define LIMIT_COMPARE_ARENA (512 * LIMIT_MIB)

/* A list that takes longer counts as not whole. */
#define LIMIT_WATCH_LIST_MS 20000

/* The views of one object, wanted and live. */
#define LIMIT_JUDGE_ARENA (128 * LIMIT_MIB)

/* The answer to one question of a person: a difference, a rendered set, a preview. */
#define LIMIT_ANSWER_ARENA (256 * LIMIT_MIB)

/* Fields in which one object's difference is told; more are seen in its YAML. */
#define LIMIT_DIFF_FIELDS 200

/* What is kept of a live object: while it is reduced, its images, the sentence of its health, its
 * one line for lists. */
#define LIMIT_LIVE_ARENA (16 * LIMIT_MIB)
#define LIMIT_LIVE_IMAGES 4096
#define LIMIT_HEALTH_BYTES 512
#define LIMIT_HEALTH_ARENA (1 * LIMIT_MIB)
#define LIMIT_INFO_BYTES 120

/* Fields that Skip schema validation takes out of one object, and the text that lists them. */
#define LIMIT_APPLY_REPEATS 50
#define LIMIT_APPLY_REMOVED_BYTES 4096

/* A new kind is served, and a deleted object is gone, within this, or the row fails. */
#define LIMIT_KIND_SERVED_MS 15000
#define LIMIT_OBJECT_GONE_MS 120000

/* The sentence of an Event; as Kubernetes. */
#define LIMIT_EVENT_MESSAGE 1024

/* Objects about which was asked within the last minute; beyond it the notes start anew. */
#define LIMIT_CHURN_NOTES 20000
