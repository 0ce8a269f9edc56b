// Opens a room where a link leads, or where its reader left off. Holds back the first painting, so that nothing is seen
// to jump; a page whose scripts do not run opens at the end, with a link to what is new, or where the address says.

const SHARE = 0.25; // of the window that stays above what is new, or above what a link leads to

const timeline = document.querySelector(".room .timeline");
const { landing } = document.querySelector("main.room")?.dataset ?? {};
// what the address calls may be an event that shows nothing, or a number that no row has: the server knows the nearest
const linked = new URLSearchParams(location.search).has("around");
const target = landing && (linked || !location.hash) ? document.getElementById(landing) : null;
if (timeline && target) {
  const view = timeline.getBoundingClientRect();
  const share = linked || landing === "new" ? SHARE * view.height : 0;
  // the list is column-reverse: at the end it stands at 0. What fits into the window moves nothing
  const moved = target.getBoundingClientRect().top - view.top - share;
  if (moved < 0) timeline.scrollTop += moved;
  if (linked) target.classList.add("is-target");
}
