/* The API's description, read from data/openapi.json: which route a request is, what it answers, and
 * whether a value has the shape that it promises. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Schema {
    $ref?: string;
    type?: "object" | "array" | "string" | "integer" | "boolean";
    enum?: string[];
    format?: string;
    items?: Schema;
    properties?: Record<string, Schema>;
    required?: string[];
    additionalProperties?: boolean | Schema;
}

interface Operation {
    "x-taut-right"?: string;
    responses: { "2XX": { content?: { "application/json": { schema: Schema } } } };
}

interface Document {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
}

const file = join(import.meta.dirname, "../../data/openapi.json");
export const document = JSON.parse(readFileSync(file, "utf8")) as Document;

export interface Route {
    method: string;
    path: string;
    answer: Schema | undefined;
}

export const routes: Route[] = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        answer: operation.responses["2XX"].content?.["application/json"].schema,
    })),
);

/** The route of a request, with its parameters; a path written out wins over one with {parameters}. */
export function find(
    method: string,
    path: string,
): { route: Route; params: Record<string, string> } | null {
    const have = path.split("/");
    let best: { route: Route; params: Record<string, string> } | null = null;
    for (const route of routes) {
        const want = route.path.split("/");
        if (route.method !== method || want.length !== have.length) continue;
        const params: Record<string, string> = {};
        const fits = want.every((w, i) => {
            if (!w.startsWith("{")) return w === have[i];
            params[w.slice(1, -1)] = decodeURIComponent(have[i]!);
            return have[i] !== "";
        });
        if (fits && (!best || Object.keys(params).length < Object.keys(best.params).length))
            best = { route, params };
    }
    return best;
}

function resolve(schema: Schema): Schema {
    if (!schema.$ref) return schema;
    return document.components.schemas[schema.$ref.split("/").pop()!]!;
}

/** The smallest value of the shape. */
export function example(of: Schema): unknown {
    const schema = resolve(of);
    if (schema.enum) return schema.enum[0];
    switch (schema.type) {
        case "array":
            return [];
        case "string":
            return schema.format === "date-time" ? "2026-11-24T00:00:00Z" : "text";
        case "integer":
            return 0;
        case "boolean":
            return false;
        case "object":
            return Object.fromEntries(
                (schema.required ?? []).map((key) => [key, example(schema.properties![key]!)]),
            );
        default:
            return null;
    }
}

/** What is wrong with a value: one sentence each, with the place. Members beyond the shape are fine. */
export function problems(of: Schema, value: unknown, at = "answer"): string[] {
    const schema = resolve(of);
    if (schema.enum)
        return schema.enum.includes(value as string)
            ? []
            : [`${at} is ${JSON.stringify(value)}, not one of ${schema.enum.join(", ")}`];
    switch (schema.type) {
        case "array":
            if (!Array.isArray(value)) return [`${at} is no list`];
            return value.flatMap((v, i) => problems(schema.items!, v, `${at}[${i}]`));
        case "string":
            return typeof value === "string" ? [] : [`${at} is no text`];
        case "integer":
            return Number.isInteger(value) ? [] : [`${at} is no whole number`];
        case "boolean":
            return typeof value === "boolean" ? [] : [`${at} is neither true nor false`];
        case "object":
            return objectProblems(schema, value, at);
        default:
            return [];
    }
}

function objectProblems(schema: Schema, value: unknown, at: string): string[] {
    if (typeof value !== "object" || value === null || Array.isArray(value))
        return [`${at} is no object`];
    const map = value as Record<string, unknown>;
    const found = (schema.required ?? [])
        .filter((key) => !(key in map))
        .map((key) => `${at}.${key} is missing`);
    for (const [key, member] of Object.entries(map)) {
        const shape = schema.properties?.[key];
        if (shape) found.push(...problems(shape, member, `${at}.${key}`));
        else if (typeof schema.additionalProperties === "object")
            found.push(...problems(schema.additionalProperties, member, `${at}.${key}`));
    }
    return found;
}
