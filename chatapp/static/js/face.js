// What stands for a person: their picture over their initials, which show where it does not come.

/** @param {HTMLElement} avatar @param {string} initials @param {string} [picture] its id; "" for none */
export function wear(avatar, initials, picture = "") {
  if (avatar.textContent === initials && pictureIn(avatar) === picture) return;
  avatar.textContent = initials;
  if (!picture) return;
  const image = new Image(64, 64);
  image.alt = "";
  image.src = `/avatars/${picture}`;
  avatar.append(image);
}

/** @param {Element | null} avatar @returns {string} the id of its picture */
export function pictureIn(avatar) {
  return avatar?.querySelector("img")?.getAttribute("src").split("/")[2] ?? "";
}
