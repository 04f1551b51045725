import { defineConfig } from "vitest/config";

/* Commands that drive the server and the browser of the tests: screenshots, measurements. */
export default defineConfig({
    test: {
        environment: "node",
        include: ["e2e/**/*.tool.ts"],
        fileParallelism: false,
        testTimeout: 1_800_000,
        hookTimeout: 300_000,
    },
});
