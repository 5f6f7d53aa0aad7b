// What a worker thread runs; bundled on its own (scripts/build.mjs). Serves the work of the pipeline.

export {}
