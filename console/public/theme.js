// Sets the theme before the first paint; a file of its own because the policy forbids inline scripts.
(function () {
  var wanted = null;
  try {
    wanted = localStorage.getItem("taut.theme");
  } catch (e) {}
  if (wanted !== "light" && wanted !== "dark")
    wanted = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = wanted;
})();
