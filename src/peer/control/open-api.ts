import { z } from "zod";
import { CONTROL_ROUTES } from "../../protocol/control-api.ts";
import { ROUTE_SHAPES, type RouteShape } from "../../protocol/control-schemas.ts";
import { OWNER_ROUTES } from "../../protocol/owner-api.ts";
import { VERSION } from "../../protocol/program.ts";
import { NDJSON } from "../../protocol/routes.ts";

const FAILURE = {
  description: "It failed. A stream that has begun ends with the same in a line of kind failure",
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: ["code", "message"],
        properties: { code: { type: "string" }, message: { type: "string" } },
      },
    },
  },
};

/** The local API as OpenAPI 3.1 describes it, made of the schemas that its requests are parsed with. */
export function openApi(): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, { method, path }] of Object.entries({ ...CONTROL_ROUTES, ...OWNER_ROUTES })) {
    const shape = ROUTE_SHAPES[name as keyof typeof ROUTE_SHAPES];
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(name, shape) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "tukar: the local API of a running peer",
      version: VERSION,
      description: "For the peer's owner alone: over the control socket, or on the address of the page with its token.",
    },
    security: [{ token: [] }, {}],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths,
  };
}

function operationOf(operationId: string, { about, query, body, answer, lines }: RouteShape) {
  return {
    operationId,
    summary: about,
    ...(query && { parameters: parametersOf(query) }),
    ...(body && { requestBody: { required: true, content: contentOf(body, "input", false) } }),
    responses: {
      200: { description: about, content: contentOf(answer, "output", lines ?? false) },
      ...(answer === "bytes" && { 206: { description: "The part that Range asked for" } }),
      default: FAILURE,
    },
  };
}

function contentOf(schema: z.ZodType | "bytes", io: "input" | "output", lines: boolean) {
  if (schema === "bytes") return { "application/octet-stream": {} };
  return { [lines ? NDJSON : "application/json"]: { schema: jsonSchemaOf(schema, io) } };
}

function parametersOf(query: z.ZodType) {
  const whole = jsonSchemaOf(query, "input") as QuerySchema & { readonly oneOf?: readonly QuerySchema[] };
  const kinds = whole.oneOf ?? [whole];
  const names = new Set(kinds.flatMap(({ properties = {} }) => Object.keys(properties)));
  return [...names].map((name) => {
    const schemas = kinds.flatMap(({ properties }) => properties?.[name] ?? []);
    const required = kinds.every((kind) => kind.required?.includes(name));
    return { name, in: "query", required, schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } };
  });
}

type QuerySchema = {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
};

/** What a transformation makes of a text cannot be said in JSON Schema: then what goes into it is told. */
function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    reused: "inline",
    override({ zodSchema, jsonSchema }) {
      if (zodSchema instanceof z.ZodTransform) jsonSchema.type = "string";
    },
  });
  return json;
}
