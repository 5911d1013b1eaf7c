// The navigation between the rooms, the same on every page.

/** @type {[address: string, name: string][]} */
const ROOMS = [["/teach.html", "Teach"], ["/look.html", "Look"], ["/play.html", "Play"], ["/blackboard.html", "Blackboard"],
  ["/convolution.html", "Convolution"], ["/zoo.html", "Zoo"]];

class Rooms extends HTMLElement {
  connectedCallback() {
    const nav = document.createElement("nav");
    nav.ariaLabel = "Rooms";
    const list = document.createElement("ul");
    const brand = document.createElement("li");
    brand.className = "brand";
    brand.textContent = "eyespot studio";
    list.append(brand);
    for (const [address, name] of ROOMS) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = name;
      if (address === location.pathname) link.ariaCurrent = "page";
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    nav.append(list);
    this.append(nav);
  }
}

customElements.define("eyespot-rooms", Rooms);
