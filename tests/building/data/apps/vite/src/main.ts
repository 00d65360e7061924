import "./style.css";
import { createApp, h } from "vue";
import { createRouter, createWebHistory, RouterView } from "vue-router";

const page = { render: () => h("h1", import.meta.env.VITE_GREETING ?? "it sails") };
const router = createRouter({ history: createWebHistory(), routes: [{ path: "/:all(.*)", component: page }] });
createApp({ render: () => h(RouterView) }).use(router).mount("#app");
