/*
 * A Git server on loopback. A repository is imported by the URL form of the guide, http://HOST/ORG/NAME,
 * and each such address redirects to where the repository really is, as after a move.
 */
import { spawn, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const identity = {
    ...process.env,
    GIT_AUTHOR_NAME: "Test",
    GIT_AUTHOR_EMAIL: "test@taut.dev",
    GIT_COMMITTER_NAME: "Test",
    GIT_COMMITTER_EMAIL: "test@taut.dev",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
};

export type Files = Record<string, string>;

export interface Git {
    /** The address that redirects to the repository. */
    url: (organisation: string, name: string) => string;
    /** Writes the files, commits and pushes. */
    commit: (name: string, files: Files) => void;
    /** A repository made of a folder. */
    copy: (name: string, folder: string) => void;
    stop: () => Promise<void>;
}

function git(cwd: string, ...args: string[]): void {
    execFileSync("git", args, { cwd, env: identity, stdio: ["ignore", "ignore", "pipe"] });
}

function backend(
    root: string,
    path: string,
    query: string,
    request: IncomingMessage,
    response: ServerResponse,
) {
    const child = spawn("git", ["http-backend"], {
        env: {
            ...identity,
            GIT_PROJECT_ROOT: root,
            GIT_HTTP_EXPORT_ALL: "1",
            PATH_INFO: path,
            QUERY_STRING: query,
            REQUEST_METHOD: request.method,
            CONTENT_TYPE: request.headers["content-type"] ?? "",
            CONTENT_LENGTH: request.headers["content-length"] ?? "",
            HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
            GIT_PROTOCOL: (request.headers["git-protocol"] as string | undefined) ?? "",
        },
    });
    const parts: Buffer[] = [];
    request.pipe(child.stdin);
    child.stdout.on("data", (bytes: Buffer) => parts.push(bytes));
    child.on("close", () => {
        const whole = Buffer.concat(parts);
        const end = whole.indexOf("\r\n\r\n");
        let status = 200;
        for (const line of whole.subarray(0, end).toString().split("\r\n")) {
            const [name, value] = line.split(": ") as [string, string];
            if (name.toLowerCase() === "status") status = Number(value.split(" ")[0]);
            else if (name) response.setHeader(name, value);
        }
        response.writeHead(status).end(whole.subarray(end + 4));
    });
}

export async function startGit(): Promise<Git> {
    const dir = mkdtempSync(join(tmpdir(), "taut-git-"));
    const work = (name: string): string => {
        const tree = join(dir, `${name}.tree`);
        if (!existsSync(tree)) {
            git(dir, "init", "-q", "--bare", "-b", "main", `${name}.git`);
            git(dir, "clone", "-q", `${name}.git`, `${name}.tree`);
            git(tree, "checkout", "-q", "-b", "main");
        }
        return tree;
    };
    const push = (name: string): void => {
        const tree = work(name);
        git(tree, "add", "-A");
        git(tree, "commit", "-q", "--allow-empty", "-m", "change");
        git(tree, "push", "-q", "origin", "main");
    };
    const server = createServer((request, response) => {
        const [path, query = ""] = request.url!.split("?") as [string, string?];
        const found = /^\/[^/]+\/([^/]+?)(?:\.git)?(\/.*)?$/.exec(path);
        if (path.startsWith("/real/")) backend(dir, path.slice(5), query, request, response);
        else if (found)
            response
                .writeHead(301, {
                    Location: `/real/${found[1]}.git${found[2] ?? ""}${query && `?${query}`}`,
                })
                .end();
        else response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    return {
        url: (organisation, name) => `http://127.0.0.1:${port}/${organisation}/${name}`,
        commit: (name, files) => {
            for (const [file, text] of Object.entries(files)) {
                const path = join(work(name), file);
                mkdirSync(dirname(path), { recursive: true });
                writeFileSync(path, text);
            }
            push(name);
        },
        copy: (name, folder) => {
            cpSync(folder, work(name), { recursive: true });
            push(name);
        },
        stop: async () => {
            server.closeAllConnections();
            await new Promise((done) => server.close(done));
            rmSync(dir, { recursive: true, force: true });
        },
    };
}

/** The guide's own example, where a corpus of public repositories lies beside the source. */
export function guideExample(): string | null {
    const corpus = process.env.TAUT_CORPUS ?? resolve("../../shared/corpus");
    const found = join(corpus, "kustomize/open-podcasts-config-default/input");
    return existsSync(found) ? found : null;
}

/** A small example of the same shape: config/default by Kustomize, a Deployment and its Service. */
export const smallExample: Files = {
    "config/default/kustomization.yaml":
        "resources: [../web]\nlabels:\n- pairs: {example: guide}\n",
    "config/web/kustomization.yaml": "resources: [web.yaml]\n",
    "config/web/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 80}]
`,
};
