// What HTML alone cannot do: say that nobody answers, and keep the place of the keyboard.
const connection = document.getElementById("connection");
const connectionLost = document.getElementById("connection-lost");

const showConnectionLost = () =>
  connection.childElementCount || connection.replaceChildren(connectionLost.content.cloneNode(true));

document.addEventListener("htmx:error", showConnectionLost);

// A proxy's own error page says nothing to a person: only our answers say where they belong.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (!ctx.hx.retarget) {
    ctx.swap = "none";
    showConnectionLost();
  }
});

// A button loses the focus when it is disabled during its request.
const focused = new WeakMap();
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.contains(document.activeElement)) focused.set(ctx, document.activeElement.id);
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!focused.get(ctx)) return;
  setTimeout(() => {
    if (document.activeElement !== document.body) return;
    // Where the button is gone with what it was for, the news are what comes next.
    (document.getElementById(focused.get(ctx)) ?? document.querySelector("[data-focus-next]"))?.focus();
  });
});
