import { defineConfig } from "vitest/config";

/* One browser and one server for a file; its tests are the steps of one walk, in order. */
export default defineConfig({
    test: {
        environment: "node",
        include: ["e2e/**/*.test.ts"],
        fileParallelism: false,
        sequence: { concurrent: false },
        testTimeout: 180_000,
        bail: 3,
        hookTimeout: 300_000,
    },
});
