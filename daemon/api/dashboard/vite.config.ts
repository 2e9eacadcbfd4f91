import { defineConfig } from "vite";

// Paths are relative, so that the page also works behind a proxy that puts it below a prefix; nothing is inlined, so that
// the content security policy needs no exception.
export default defineConfig({
  base: "./",
  build: { target: "es2021", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  // `npm run dev` asks a daemon on this machine. The API takes requests from its own origin only.
  server: {
    proxy: {
      "^/(api|healthz|readyz|metrics)": {
        target: process.env["LEAT_API"] ?? "http://127.0.0.1:8463",
        changeOrigin: true,
        headers: { origin: process.env["LEAT_API"] ?? "http://127.0.0.1:8463" },
      },
    },
  },
});
