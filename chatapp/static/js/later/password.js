// The button beside a password that shows what was typed.

/** @param {Document} page */
export function wirePasswords(page) {
  for (const button of page.querySelectorAll("[data-show-password]")) {
    const field = page.getElementById(button.dataset.showPassword);
    if (!(field instanceof HTMLInputElement)) continue;
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    };
    button.addEventListener("click", () => {
      show(field.type === "password");
      field.focus();
    });
    // password keepers look at the type, and nobody wants the word left open on the screen
    field.form?.addEventListener("submit", () => show(false));
  }
}
